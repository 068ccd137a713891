//! Reads runs and groups them: runs of one experiment form a group of seeds, labelled by name, then by settings that differ.

use std::{collections::BTreeMap, fs, path::Path};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::format::grouped;
use crate::show::metrics::{self, MetricsTable};

/// Settings and metrics of a run.
#[derive(Clone, Debug)]
pub(super) struct RunData {
    pub(super) cfg: Config,
    /// [`Config::identity`].
    experiment: String,
    /// Settings that define the experiment: `skew.power` -> `-0.5`.
    settings: BTreeMap<&'static str, String>,
    /// Number of evaluation pictures.
    pictures: usize,
    pub(super) table: MetricsTable,
}

impl RunData {
    /// Reads `config.toml` and `metrics.csv` of a run directory.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("config.toml");
        let text = fs::read_to_string(&path)
            .map_err(|e| Error::Usage(format!("{} is not a run: no config.toml can be read ({e})", dir.display())))?;
        let parsed = text.trim_start_matches('\u{feff}').parse::<toml::Table>();
        parsed.map_err(|e| Error::Damaged(format!("{}: {}", path.display(), e.message())))?;
        let run = Self::of(Config::of_run(dir, Vec::new())?, metrics::read(&dir.join("metrics.csv"))?)?;
        let own = fs::read_dir(dir.join("goals")).map_or(0, Iterator::count);
        Ok(Self { pictures: if own > 0 { own } else { run.pictures }, ..run })
    }

    pub(super) fn of(cfg: Config, table: MetricsTable) -> Result<Self> {
        let text = |value: toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let settings = cfg.identity_keys()?.into_iter().map(|(key, value)| (key, text(value))).collect();
        Ok(Self { experiment: cfg.identity()?, settings, pictures: cfg.evaluate.pictures, cfg, table })
    }

    /// Exploration steps of the last row.
    pub(super) fn steps(&self) -> u64 {
        self.table.env_steps.last().copied().unwrap_or(0)
    }

    /// Evaluations in one pass through all pictures.
    pub(super) fn evaluations_per_pass(&self) -> usize {
        self.pictures.div_ceil(self.cfg.evaluate.pictures_each_time)
    }

    /// The scene's first metric, such as `angle_error_rad`.
    pub(super) fn leading_metric(&self) -> Option<&str> {
        self.table.columns.iter().find_map(|(name, _)| name.strip_prefix("eval/final_"))
    }

    /// Mean of a column's last measured values up to `row`: those of one pass through all pictures.
    pub(super) fn mean_over_pass(&self, column: &str, row: usize) -> Option<f64> {
        let measured = self.table.column(column)?[..=row].iter().rev().flatten().filter(|v| v.is_finite());
        let values: Vec<f64> = measured.take(self.evaluations_per_pass()).copied().collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }
}

/// Runs of one name and one experiment that differ in their seed.
#[derive(Clone, Debug)]
pub(super) struct SeedGroup<'a> {
    pub(super) label: String,
    pub(super) runs: Vec<&'a RunData>,
}

/// Groups in the order of their first runs. A group holds each seed once, so a second, longer run of a seed starts another.
pub(super) fn groups(runs: &[RunData]) -> Vec<SeedGroup<'_>> {
    let mut groups: Vec<Vec<&RunData>> = vec![];
    for run in runs {
        let alike = |first: &RunData| first.cfg.name == run.cfg.name && first.experiment == run.experiment;
        match groups.iter_mut().find(|g| alike(g[0]) && g.iter().all(|r| r.cfg.seed != run.cfg.seed)) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    let label = |group: &[&RunData]| {
        let own = group[0];
        let namesakes: Vec<&RunData> = groups.iter().map(|g| g[0]).filter(|run| run.cfg.name == own.cfg.name).collect();
        let differs = |key: &str| namesakes.iter().any(|run| run.settings.get(key) != own.settings.get(key));
        let settings = own.settings.iter().filter(|(key, _)| differs(key)).take(2);
        let settings: String = settings.map(|(key, value)| format!(", {key} = {value}")).collect();
        let seeds = match group {
            [only] => format!(", seed {}", only.cfg.seed),
            several => format!(" ({} seeds)", several.len()),
        };
        let twin = namesakes.iter().filter(|run| run.experiment == own.experiment).count() > 1;
        let steps = if twin { format!(", {} steps", grouped(own.steps())) } else { String::new() };
        format!("{}{settings}{steps}{seeds}", own.cfg.name)
    };
    groups.iter().map(|runs| SeedGroup { label: label(runs), runs: runs.clone() }).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::overrides::parse;

    /// A run of the door with these settings.
    pub(in super::super) fn run(sets: &[&str], table: MetricsTable) -> RunData {
        RunData::of(Config::parse("", "t", sets.iter().map(|set| parse(set).unwrap()).collect()).unwrap(), table)
            .unwrap()
    }

    #[test]
    fn length_and_upkeep_of_a_run_do_not_change_its_experiment() {
        let kept = ["run.steps=20000", "run.threads=3", "run.keep_every_hours=1", "night.poll_s=1", "night.log_mb=3"];
        let sets = [&["seed=1"][..], &[&["seed=2"][..], &kept].concat(), &["seed=3", "agent.tau=0.001"]];
        let runs = sets.map(|sets| run(sets, MetricsTable::default()));
        let labels: Vec<String> = groups(&runs).into_iter().map(|group| group.label).collect();
        assert_eq!(labels, ["door, agent.tau = 0.005 (2 seeds)", "door, agent.tau = 0.001, seed 3"]);
    }
}
