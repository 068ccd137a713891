use super::overrides::parse as set;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

pub(super) fn resolve(what: &str, sets: &[&str]) -> Result<Config> {
    Config::resolve(what, sets.iter().map(|s| set(s).unwrap()).collect())
}

fn keys_of(table: &toml::Table, path: &str, into: &mut BTreeSet<String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => keys_of(inner, &format!("{path}{key}."), into),
            _ => drop(into.insert(format!("{path}{key}"))),
        }
    }
}

#[test]
fn the_defaults_are_those_of_the_door() {
    assert_eq!(Config::parse("", "empty", vec![]).unwrap(), resolve("door", &[]).unwrap());
}

/// Removes a dotted key and returns its value.
fn remove(table: &mut toml::Table, key: &str) -> Option<toml::Value> {
    match key.split_once('.') {
        None => table.remove(key),
        Some((head, tail)) => table.get_mut(head)?.as_table_mut()?.remove(tail),
    }
}

#[test]
fn presets_have_their_own_name_and_set_no_default() {
    for preset in PRESETS {
        let config = resolve(preset.name, &[]).unwrap();
        assert_eq!(config.name, preset.name);
        let table: toml::Table = preset.text.parse().unwrap();
        let mut given = BTreeSet::new();
        keys_of(&table, "", &mut given);
        for key in given {
            let mut without = table.clone();
            remove(&mut without, &key).unwrap();
            let same = Config::parse(&without.to_string(), "without", vec![]).is_ok_and(|other| other == config);
            assert!(!same, "{}: {key} is the default", preset.name);
        }
        for line in ["# Command: skewfit explore ", "# Expected: ", "# Run time: "] {
            assert!(preset.text.contains(line), "{} has no {line}", preset.name);
        }
        assert!(preset.question().ends_with(['?', '.']), "{}", preset.question());
    }
    for scene in ["door", "corridor"] {
        let baseline = resolve(scene, &["skew.power=0", &format!("name={scene}-rig")]).unwrap();
        assert_eq!(resolve(&format!("{scene}-rig"), &[]).unwrap(), baseline);
    }
}

#[test]
fn the_document_is_the_table() {
    let text = include_str!("../../docs/CONFIG.md");
    let resolved: toml::Table = resolve("door", &[]).unwrap().to_toml().unwrap().parse().unwrap();
    let mut real = BTreeSet::new();
    keys_of(&resolved, "", &mut real);
    let rows: Vec<&str> = text.lines().filter(|l| l.starts_with("| `") && l.matches('|').count() == 5).collect();
    let expected: Vec<String> = keys::KEYS
        .iter()
        .map(|k| {
            let default = if k.default.is_empty() { "[16, 32, 64]" } else { k.default };
            format!("| `{}` | {} | `{default}` | {} |", k.name, k.allowed.describe(), k.meaning)
        })
        .collect();
    assert_eq!(rows, expected, "docs/CONFIG.md should have\n{}", expected.join("\n"));
    for row in &rows {
        let cells: Vec<&str> = row.split('|').map(|c| c.trim().trim_matches('`')).collect();
        assert!(real.remove(cells[1]), "{} is documented twice or does not exist", cells[1]);
        let documented: toml::Table = format!("v = {}", cells[3]).parse().unwrap();
        let (head, tail) = cells[1].split_once('.').unwrap_or(("", cells[1]));
        let inside = if head.is_empty() { &resolved } else { resolved[head].as_table().unwrap() };
        assert_eq!(documented["v"], inside[tail], "{}", cells[1]);
    }
    assert!(real.is_empty(), "not documented: {real:?}");
}

#[test]
fn later_settings_win_and_channels_follow_the_picture() {
    let config = resolve("corridor", &["latent.dim=3", "latent = { dim = 5, beta = 1 }"]).unwrap();
    assert_eq!((config.latent.dim, config.latent.beta, config.agent.batch), (5, 1.0, 256));
    for (size, channels) in
        [(24, vec![16, 32]), (48, vec![16, 32, 64]), (84, vec![16, 32, 32]), (96, vec![16, 32, 64, 64])]
    {
        let config = Config::parse(&format!("env.image_size = {size}"), "t", vec![]).unwrap();
        assert_eq!(config.latent.channels, channels);
    }
}

#[test]
fn run_id_depends_on_settings_and_seed() {
    let id = |sets: &[&str]| resolve("corridor-tiny", sets).unwrap().run_id().unwrap();
    assert_eq!(id(&[]), id(&["seed=0"]));
    assert_eq!(id(&[]).len(), 16);
    let ids: BTreeSet<String> = [id(&[]), id(&["seed=1"]), id(&["skew.power=0"])].into();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_run_may_name_any_scene_and_a_user_only_shipped_ones() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = resolve("corridor", &["seed=3"]).unwrap();
    config.env.scene = "slider".into();
    std::fs::write(dir.path().join("config.toml"), config.to_toml().unwrap()).unwrap();
    assert_eq!(Config::of_run(dir.path(), vec![]).unwrap(), config);
    let refused = Config::read(&dir.path().join("config.toml"), vec![]).unwrap_err().to_string();
    assert!(refused.contains("config.toml line 5: env.scene = \"slider\" must be one of door, "), "{refused}");
}

#[test]
fn oracle_16_skewing_acts_from_the_epoch_after_the_first_on() {
    for (power, start, acts) in [("-0.5", 10, [false, false, true, true]), ("0", 10, [false; 4])] {
        let skew =
            resolve("door", &[&format!("skew.power={power}"), &format!("skew.start_epoch={start}")]).unwrap().skew;
        assert_eq!([0, start, start + 1, u64::MAX].map(|epoch| skew.acts_after(epoch)), acts, "power {power}");
    }
}

#[test]
fn epochs_round_up() {
    for (steps, epochs) in [(10_000, 0), (10_001, 1), (10_500, 1), (10_501, 2), (30_000, 40), (95_000, 170)] {
        assert_eq!(resolve("door", &[&format!("run.steps={steps}")]).unwrap().run.epochs(), epochs);
    }
}

#[test]
fn official_schedule_adds_up() {
    let config = resolve("door", &[]).unwrap();
    let total = |epochs| (0..epochs).map(|e| config.latent.updates_at(e)).sum::<u64>();
    assert_eq!((total(170), total(750)), (42_000, 98_000));
}

#[test]
fn a_phase_has_its_own_beta() {
    let phases = |beta: &str| {
        format!(
            "latent={{beta=0.1, phases=[{{before_epoch=2, every=1, updates=3, beta={beta}}}, {{every=1, updates=3}}]}}"
        )
    };
    let latent = resolve("door", &[&phases("2")]).unwrap().latent;
    assert_eq!([0, 1, 2, 9].map(|epoch| latent.beta_at(epoch)), [2.0, 2.0, 0.1, 0.1]);
    for beta in ["-0.1", "1001", "nan", "\"0.1\"", "[0.1]"] {
        let refused = resolve("door", &[&phases(beta)]).unwrap_err().to_string();
        assert!(refused.contains("latent.phases") && refused.contains("beta from 0 to 1000"), "{refused}");
    }
}

/// A setting with a value that `key` allows; `pick` in [0, 1) chooses it.
fn allowed_setting(key: &'static keys::ConfigKey, pick: f64) -> String {
    use keys::Allowed;
    let index = |n: usize| ((pick * n as f64) as usize).min(n - 1);
    let whole = |low: i64, high: i64| low + (pick * (high.saturating_sub(low)) as f64) as i64;
    let value = match &key.allowed {
        Allowed::Whole(low, high) => whole(*low, *high).to_string(),
        Allowed::Number(low, high) => format!("{:?}", low + pick * (high - low)),
        Allowed::Flag => (pick < 0.5).to_string(),
        Allowed::Word(words, _) => format!("{:?}", words[index(words.len())]),
        Allowed::Folder => format!("\"pictures/{}\"", index(1000)),
        Allowed::Name => format!("\"run-{}\"", index(1000)),
        Allowed::Size(sizes) => sizes[index(sizes.len())].to_string(),
        Allowed::Wholes(few, _, low, high) => format!("{:?}", vec![whole(*low, *high); *few]),
        Allowed::AutoOr(low, high) if pick < 0.5 => format!("{:?}", low + pick * (high - low)),
        Allowed::AutoOr(..) => "\"auto\"".into(),
        Allowed::Phases => format!(
            "[{{ before_epoch = {}, every = 2, updates = 7, beta = {:?} }}, {{ every = 1, updates = 1 }}]",
            1 + index(50),
            9.0 * pick
        ),
    };
    format!("{} = {value}", key.name)
}

proptest! {
    /// What is accepted is written in full and read back equal. The rest is refused in one line that names a key.
    #[test]
    fn resolved_files_read_back_equal(picks in prop::collection::vec((0..keys::KEYS.len(), 0.0..1.0f64), 0..4)) {
        let sets: Vec<String> = picks.iter().map(|(k, p)| allowed_setting(&keys::KEYS[*k], *p)).collect();
        match resolve("corridor-tiny", &sets.iter().map(String::as_str).collect::<Vec<_>>()) {
            Ok(config) => {
                let text = config.to_toml().unwrap();
                let again = Config::parse(&text, "again", vec![]).unwrap();
                prop_assert_eq!(&again, &config);
                prop_assert_eq!(again.to_toml().unwrap(), text);
            }
            Err(e) => {
                let e = e.to_string();
                prop_assert!(e.starts_with("--set: ") && !e.contains('\n') && keys::KEYS.iter().any(|k| e.contains(k.name)), "{}", e);
            }
        }
    }

    /// No text causes a panic.
    #[test]
    fn any_text_is_read_or_refused(text in "[\\[\\]a-z_.= 0-9{},\"\n#-]{0,60}") {
        if let Err(e) = Config::parse(&text, "t", vec![]) {
            prop_assert!(!e.to_string().contains('\n'), "{}", e);
        }
    }
}

#[test]
fn one_setting_of_the_effective_sample_size_is_allowed() {
    let refused = resolve("corridor", &["skew.target_ess=0.3"]).unwrap_err();
    assert_eq!(refused.exit_code(), 2);
    let said = refused.to_string();
    assert!(said.contains("skew.min_ess = 0.2 and skew.target_ess = 0.3 both set"), "{said}");
    let skew = resolve("corridor", &["skew.target_ess=0.3", "skew.min_ess=0"]).unwrap().skew;
    assert_eq!((skew.power_and_floor(), skew.acts_after(u64::MAX)), ((-30.0, 0.3), true));
    let off = resolve("corridor", &["skew.target_ess=0.3", "skew.min_ess=0", "skew.power=0"]).unwrap().skew;
    assert_eq!((off.power_and_floor(), off.acts_after(u64::MAX)), ((0.0, 0.0), false));
}
