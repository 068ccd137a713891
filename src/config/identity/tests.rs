use std::path::Path;

use super::super::overrides::parse as set;
use super::super::raw::{RawConfig, WrittenBy};
use super::super::{settle, tests::resolve};
use super::*;

/// Shards hold the run id, checkpoints the identity. If either formula changed, older runs would not be recognised.
#[test]
fn identities_stay_what_they_are() {
    for (preset, run_id, identity) in
        [("corridor-tiny", "1eaeea60fc39d536", "194f56999fa64375"), ("door", "78f6a846c7438de8", "0aa35312f8742ec9")]
    {
        let config = resolve(preset, &[]).unwrap();
        assert_eq!((config.run_id().unwrap().as_str(), config.identity().unwrap().as_str()), (run_id, identity));
    }
    let of_6a6cb58 = Config::of_run(Path::new("tests/fixtures/run-6a6cb58"), vec![]).unwrap();
    assert_eq!(of_6a6cb58.run_id().unwrap(), "f726b3b4883d71fe", "run.json");
    for (key, same) in [("run.steps=500", true), ("night.poll_s=1", true), ("agent.tau=0.002", false)] {
        let read = Config::of_run(Path::new("tests/fixtures/run-6a6cb58"), vec![set(key).unwrap()]);
        assert_eq!(read.unwrap().has_identity("505e47e6f307be6a").unwrap(), same, "checkpoints/00000100/state.json");
    }
}

#[test]
fn the_identity_depends_on_learned_keys_only() {
    let of = |set: &str| resolve("corridor-tiny", &[set]).unwrap().identity().unwrap();
    for same in ["seed=1", "name=other", "run.steps=2000", "run.threads=3", "run.keep_checkpoints=1", "night.log_mb=1"]
    {
        assert_eq!(of(same), of("seed=0"), "{same}");
    }
    for other in ["skew.power=0", "run.epoch_steps=50", "evaluate.pictures=5", "env.samples=4"] {
        assert_ne!(of(other), of("seed=0"), "{other}");
    }
}

/// Treats two keys as if they had been added later: one in an older table, the other alone in a new table.
#[test]
fn a_key_that_a_run_lacks_is_what_its_program_did() {
    let new = |key: &ConfigKey| match key.name {
        "skew.min_ess" => ConfigKey { default: "0.3", ..*key }.value_before("0.0"),
        "coverage.window_steps" => ConfigKey { default: "500", ..*key }.value_before("10000"),
        _ => *key,
    };
    let later: Vec<ConfigKey> = KEYS.iter().map(new).collect();
    let earlier: Vec<ConfigKey> = later.iter().copied().filter(|key| key.value_before.is_none()).collect();
    let read = |text: &str, writer| settle(RawConfig::new(&later, writer), text, "t", vec![]).unwrap();
    let values = |c: &Config| (c.skew.min_ess, c.coverage.window_steps);

    let door = resolve("door", &[]).unwrap();
    let written = Resolved::of(&door, &earlier).unwrap();
    assert!(!written.text().contains("min_ess") && !written.text().contains("[coverage]"));
    let of_run = read(&written.text(), WrittenBy::Program);
    assert_eq!(values(&of_run), (0.0, 10_000), "not today's default");
    assert_eq!(values(&read(&written.text(), WrittenBy::User)), (0.3, 500));

    // The later program sees the same run, also after it has rewritten the run's file.
    let again = read(&Resolved::of(&of_run, &later).unwrap().text(), WrittenBy::Program);
    assert_eq!(again, of_run);
    for config in [of_run, again] {
        let now = Resolved::of(&config, &later).unwrap();
        assert_eq!(now.clone().run_id(0), written.clone().run_id(0));
        assert_eq!(now.clone().identity(), written.clone().identity());
        assert_eq!(now.identity_up_to_6a6cb58(), written.clone().identity_up_to_6a6cb58());
    }
    let other = Resolved::of(&read("", WrittenBy::User), &later).unwrap();
    assert_ne!(other.clone().run_id(0), written.clone().run_id(0));
    assert_ne!(other.identity(), written.identity());
}

/// `value_before` must be written exactly as a resolved file writes it; else it would not be left out of an identity.
#[test]
fn every_value_before_is_an_allowed_value_of_its_key() {
    for (key, value) in KEYS.iter().filter_map(|key| Some((key, key.value_before?))) {
        let config = resolve("door", &[&format!("{}={value}", key.name)]).unwrap();
        let resolved = Resolved::of(&config, std::slice::from_ref(key)).unwrap();
        assert!(resolved.without_new_keys().text().is_empty(), "{}", key.name);
    }
}
