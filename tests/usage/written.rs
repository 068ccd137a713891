//! Values as people write them: one rule for flags and `--set`, and every refusal names a rule that the value breaks.

use super::{refused, skewfit, stderr, stdout};

/// The resolved configuration of `corridor-tiny` with these arguments.
fn resolved(dir: &std::path::Path, args: &[&str]) -> toml::Table {
    let output = skewfit(dir, &[&["explore", "corridor-tiny", "--dry-run"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output).parse().unwrap()
}

#[test]
fn numbers_and_names_are_read_as_people_write_them() {
    let dir = tempfile::tempdir().unwrap();
    for steps in ["30000", "30_000", "3e4", "3E+4", "30000.0", "3.0e4", "300_00.", "+30000", "0030000"] {
        assert_eq!(resolved(dir.path(), &["--steps", steps])["run"]["steps"].as_integer(), Some(30_000), "{steps}");
        let set = format!("run.steps={steps}");
        assert_eq!(resolved(dir.path(), &["--set", &set])["run"]["steps"].as_integer(), Some(30_000), "{steps}");
    }
    for rate in [".001", "0.001", "1e-3", "1E-3", "+.001", "0.000_1e1", "1.0e-03"] {
        let set = format!("agent.learning_rate={rate}");
        assert_eq!(resolved(dir.path(), &["--set", &set])["agent"]["learning_rate"].as_float(), Some(0.001), "{rate}");
    }
    let scale = resolved(dir.path(), &["--set", "agent.reward_scale=1_000.5"]);
    assert_eq!(scale["agent"]["reward_scale"].as_float(), Some(1000.5));
    for name in ["2026", "1e3", "true", "2026-11-28", "7.5"] {
        for set in [format!("name={name}"), format!("name=\"{name}\"")] {
            assert_eq!(resolved(dir.path(), &["--set", &set])["name"].as_str(), Some(name), "{set}");
        }
    }
    let seed = resolved(dir.path(), &["--seed", "9_223_372_036_854_775_807", "--threads", "2e0"]);
    assert_eq!((seed["seed"].as_integer(), seed["run"]["threads"].as_integer()), (Some(i64::MAX), Some(2)));
    let hidden = resolved(dir.path(), &["--set", "agent.hidden=[3.2e1, 16]"]);
    assert_eq!(hidden["agent"]["hidden"].to_string(), "[32, 16]");
}

#[test]
fn every_refusal_names_a_rule_that_the_value_breaks() {
    let dir = tempfile::tempdir().unwrap();
    for (given, shown) in [
        ("1.5e0", "= 1.5 must be a whole number from"),
        ("1000.5", "= 1000.5 must be a whole number from"),
        ("1000.00000000000000001", "must be a whole number from"),
        ("1e30", "must be a whole number from 1 to 1000000000"),
        ("1,000", "must be a whole number from"),
        ("1__000", "must be a whole number from"),
        ("-5", "= -5 must be a whole number from 1 "),
        ("inf", "must be a whole number from"),
    ] {
        refused(dir.path(), &["explore", "corridor-tiny", "--steps", given], &["--steps: run.steps = ", shown]);
        let set = format!("run.steps={given}");
        refused(dir.path(), &["explore", "corridor-tiny", "--set", &set], &["--set: run.steps = ", shown]);
    }
    let set = |text: &str, words: &[&str]| refused(dir.path(), &["explore", "corridor-tiny", "--set", text], words);
    set("env.image_size=\"48\"", &["env.image_size = \"48\" must be without quotes: one of 24"]);
    set("agent.tau=1e999", &["must be a number from"]);
    set("seed=9223372036854775808", &["must be a whole number from 0 to 9223372036854775807"]);
    for (text, words) in [
        ("name = 2026", "name = 2026 must be text in quotes: 1 to 64 letters, digits"),
        ("[env]\nwalls = false", "env.walls = false must be text in quotes: one of none"),
        ("[agent]\ntau = \"0.005\"", "agent.tau = \"0.005\" must be without quotes: a number from"),
        ("[agent]\nlayer_norm = \"true\"", "agent.layer_norm = \"true\" must be without quotes: true or false"),
        ("seed = 1e17", "must be without point and exponent: a whole number"),
        ("[run]\nsteps = 1.5e4\nepoch_steps = 1.5", "run.epoch_steps = 1.5 must be a whole number"),
    ] {
        std::fs::write(dir.path().join("night.toml"), text).unwrap();
        refused(dir.path(), &["explore", "night.toml"], &["night.toml line", words]);
    }
}

#[test]
fn a_file_saved_by_another_systems_editor_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let plain = "name = \"a\"\n[run]\nsteps = 3e4\n[agent]\nhidden = [3.2e1]\n";
    let crlf = plain.replace('\n', "\r\n");
    for text in
        [plain.to_owned(), crlf.clone(), format!("\u{feff}{crlf}"), plain.trim_end().into(), format!("{plain}\n")]
    {
        std::fs::write(dir.path().join("night.toml"), &text).unwrap();
        let output = skewfit(dir.path(), &["explore", "night.toml", "--dry-run"]);
        assert!(output.status.success(), "{text:?}: {}", stderr(&output));
        let told: toml::Table = stdout(&output).parse().unwrap();
        assert_eq!((told["run"]["steps"].as_integer(), told["name"].as_str()), (Some(30_000), Some("a")), "{text:?}");
    }
    std::fs::write(dir.path().join("night.toml"), format!("\u{feff}{crlf}x = 1\r\n")).unwrap();
    refused(dir.path(), &["explore", "night.toml"], &["night.toml line 6: unknown key `agent.x`"]);
}
