//! What runs have in common: runs of one experiment make a group of seeds, told apart by name, then by settings.

use std::{collections::BTreeMap, fs, path::Path};

use crate::config::Config;
use crate::error::{Error, Result};
use crate::format::grouped;
use crate::show::metrics::{self, Table};

/// A run's settings and rows.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) cfg: Config,
    /// [`Config::identity`].
    experiment: String,
    /// What makes the experiment: `skew.power` -> `-0.5`.
    settings: BTreeMap<&'static str, String>,
    /// Evaluation pictures.
    pictures: usize,
    pub(super) table: Table,
}

impl Run {
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

    pub(super) fn of(cfg: Config, table: Table) -> Result<Self> {
        let words = |value: toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let settings = cfg.learned()?.into_iter().map(|(key, value)| (key, words(value))).collect();
        Ok(Self { experiment: cfg.identity()?, settings, pictures: cfg.evaluate.pictures, cfg, table })
    }

    /// Exploration steps of the last row.
    pub(super) fn steps(&self) -> u64 {
        self.table.env_steps.last().copied().unwrap_or(0)
    }

    /// Evaluations that it takes to try all pictures once.
    pub(super) fn turn(&self) -> usize {
        self.pictures.div_ceil(self.cfg.evaluate.pictures_each_time)
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
}

/// Runs of one name and one experiment, by their identity; they differ in their seed.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub(super) label: String,
    pub(super) runs: Vec<&'a Run>,
}

/// Groups in the order of their first runs; a group has a seed once, so a second, longer run of a seed begins another.
pub(super) fn groups(runs: &[Run]) -> Vec<Group<'_>> {
    let mut groups: Vec<Vec<&Run>> = vec![];
    for run in runs {
        let alike = |first: &Run| first.cfg.name == run.cfg.name && first.experiment == run.experiment;
        match groups.iter_mut().find(|g| alike(g[0]) && g.iter().all(|r| r.cfg.seed != run.cfg.seed)) {
            Some(group) => group.push(run),
            None => groups.push(vec![run]),
        }
    }
    let label = |group: &[&Run]| {
        let own = group[0];
        let namesakes: Vec<&Run> = groups.iter().map(|g| g[0]).filter(|run| run.cfg.name == own.cfg.name).collect();
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
    groups.iter().map(|runs| Group { label: label(runs), runs: runs.clone() }).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::overrides::parse;

    /// A run of the door with these settings.
    pub(in super::super) fn run(sets: &[&str], table: Table) -> Run {
        Run::of(Config::parse("", "t", sets.iter().map(|set| parse(set).unwrap()).collect()).unwrap(), table).unwrap()
    }

    #[test]
    fn how_far_a_run_goes_and_how_it_is_kept_make_no_other_experiment() {
        let kept = ["run.steps=20000", "run.threads=3", "run.keep_every_hours=1", "night.poll_s=1", "night.log_mb=3"];
        let sets = [&["seed=1"][..], &[&["seed=2"][..], &kept].concat(), &["seed=3", "agent.tau=0.001"]];
        let runs = sets.map(|sets| run(sets, Table::default()));
        let labels: Vec<String> = groups(&runs).into_iter().map(|group| group.label).collect();
        assert_eq!(labels, ["door, agent.tau = 0.005 (2 seeds)", "door, agent.tau = 0.001, seed 3"]);
    }
}
