//! What runs have in common: runs with the same settings but another seed form a group, told apart by name, then by settings.

use std::{collections::BTreeMap, fs, path::Path};

use crate::error::{Error, Result};
use crate::format::grouped;
use crate::show::metrics::{self, Table};

/// Settings that change how a run went on, not what it does.
const OF_NO_MATTER: [&str; 5] =
    ["seed", "run.steps", "run.threads", "run.checkpoint_every_epochs", "run.keep_checkpoints"];

/// A run's settings (`run.steps` -> `30000`) and rows.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) name: String,
    pub(super) settings: BTreeMap<String, String>,
    pub(super) table: Table,
}

impl Run {
    /// Reads `config.toml` and `metrics.csv` of a run directory.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("config.toml");
        let text = fs::read_to_string(&path)
            .map_err(|e| Error::Usage(format!("{} is not a run: no config.toml can be read ({e})", dir.display())))?;
        let parsed = text.parse::<toml::Table>();
        let parsed = parsed.map_err(|e| Error::Damaged(format!("{}: {}", path.display(), e.message())))?;
        let mut settings = BTreeMap::new();
        flatten("", &toml::Value::Table(parsed), &mut settings);
        let name = settings.remove("name").unwrap_or_else(|| "run".into());
        Ok(Self { name, settings, table: metrics::read(&dir.join("metrics.csv"))? })
    }

    pub(super) fn seed(&self) -> &str {
        self.settings.get("seed").map_or("?", String::as_str)
    }

    /// Exploration steps of the last row.
    pub(super) fn steps(&self) -> u64 {
        self.table.env_steps.last().copied().unwrap_or(0)
    }

    /// Evaluations that it takes to try all pictures once.
    pub(super) fn turn(&self) -> usize {
        let number = |key: &str| self.settings.get(key).and_then(|text| text.parse::<usize>().ok());
        let (all, each) = (number("evaluate.pictures"), number("evaluate.pictures_each_time"));
        all.zip(each).map_or(1, |(all, each)| all.div_ceil(each.max(1)).max(1))
    }

    /// The scene's leading metric: `angle_error_rad`.
    pub(super) fn leading(&self) -> Option<&str> {
        self.table.columns.iter().find_map(|(name, _)| name.strip_prefix("eval/final_"))
    }

    /// Mean of the measured values of a column up to `row`, as many as make a turn through all pictures.
    pub(super) fn turned(&self, column: &str, row: usize) -> Option<f64> {
        let measured = self.table.column(column)?[..=row].iter().rev().flatten().filter(|v| v.is_finite());
        let values: Vec<f64> = measured.take(self.turn()).copied().collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    fn aim(&self) -> BTreeMap<&str, &str> {
        let kept = self.settings.iter().filter(|(key, _)| !OF_NO_MATTER.contains(&key.as_str()));
        kept.map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
}

/// Runs that differ in their seed alone.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub(super) label: String,
    pub(super) runs: Vec<&'a Run>,
}

/// Groups in the order of their first runs; a group has a seed once, so a second, longer run of a seed begins another.
pub(super) fn groups(runs: &[Run]) -> Vec<Group<'_>> {
    let mut groups: Vec<Vec<&Run>> = vec![];
    for run in runs {
        let alike = |first: &Run| first.name == run.name && first.aim() == run.aim();
        match groups.iter_mut().find(|g| alike(g[0]) && g.iter().all(|r| r.seed() != run.seed())) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    let label = |group: &[&Run]| {
        let namesakes: Vec<_> = groups.iter().filter(|g| g[0].name == group[0].name).map(|g| g[0].aim()).collect();
        let differs = |key: &str| namesakes.iter().any(|aim| aim.get(key) != namesakes[0].get(key));
        let own = group[0].aim();
        let settings =
            own.iter().filter(|(key, _)| differs(key)).take(2).map(|(key, value)| format!(", {key} = {value}"));
        let seeds = match group {
            [only] => format!(", seed {}", only.seed()),
            several => format!(" ({} seeds)", several.len()),
        };
        let twin = namesakes.iter().filter(|aim| **aim == own).count() > 1;
        let steps = if twin { format!(", {} steps", grouped(group[0].steps())) } else { String::new() };
        format!("{}{}{steps}{seeds}", group[0].name, settings.collect::<String>())
    };
    groups.iter().map(|runs| Group { label: label(runs), runs: runs.clone() }).collect()
}

fn flatten(path: &str, value: &toml::Value, into: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                flatten(&if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value, into);
            }
        }
        toml::Value::String(text) => drop(into.insert(path.into(), text.clone())),
        other => drop(into.insert(path.into(), other.to_string())),
    }
}
