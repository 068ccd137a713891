//! Takes a run up again from its newest sound checkpoint.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};
use skewfit_envs::EnvSnapshot;

use super::Run;
use super::begin::{Build, scenes};
use super::house::{House, log_to};
use super::record::last_step;
use super::state::{RunState, restore_models};
use crate::checkpoint;
use crate::config::{Config, Setting};
use crate::episode::Episode;
use crate::error::{Error, Result};
use crate::evaluate::{Evaluator, same_scene, scene};
use crate::learner::Learner;
use crate::metrics::{self, MetricsCsv};
use crate::progress::{Progress, Summary};
use crate::provenance;
use crate::store::Store;
use crate::store::fs::{DiskFs, Fs, disk_error, write_atomic};
use crate::supervise::events::Kind;
use crate::supervise::status::Status;

/// Goes on to `run.steps` of the run's own configuration, or to `steps`; not from the `pass_over` newest checkpoints. A
/// finished run is left alone.
///
/// # Errors
/// As the contract's exit codes; `Damaged` where no checkpoint is sound.
pub fn resume(dir: &Path, steps: Option<u64>, pass_over: usize, progress: &mut dyn Progress) -> Result<Summary> {
    go_on(dir, (steps, pass_over), progress, &scene)
}

/// [`resume`] in a scene of the caller's.
///
/// # Errors
/// As there.
pub fn resume_in(dir: &Path, steps: Option<u64>, progress: &mut dyn Progress, build: Build<'_>) -> Result<Summary> {
    go_on(dir, (steps, 0), progress, build)
}

fn go_on(
    dir: &Path,
    (steps, pass_over): (Option<u64>, usize),
    progress: &mut dyn Progress,
    build: Build<'_>,
) -> Result<Summary> {
    let house = House::of_this_process()?;
    let root = Store::read_only(dir)?.root().clone();
    let file = dir.join("config.toml");
    let wanted = steps.map(|n| Setting {
        key: "run.steps".into(),
        value: toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)),
        origin: "--steps".into(),
    });
    let cfg = Config::read(&file, wanted.into_iter().collect())?;
    let summary = dir.join("summary.json");
    if let Some(done) = finished(dir, &summary, &cfg) {
        return Ok(done);
    }
    if cfg.seed != root.seed {
        let (path, is, was) = (file.display(), cfg.seed, root.seed);
        return Err(Error::Usage(format!("{path}: seed = {is}, but the run was begun with {was}; put it back")));
    }
    let mut store = Store::open_in(Arc::clone(&house.fs), dir)?;
    let found = checkpoint::sound_after(dir, pass_over)?;
    if found.is_none() && !store.lines().is_empty() {
        let way = "nothing to resume from, its checkpoints are gone; put one back, or explore again elsewhere";
        return Err(Error::Damaged(format!("{}: there is no checkpoint: {way}", dir.display())));
    }
    log_to(dir, cfg.night.log_mb)?;
    let (mut env, evaluator) = scenes(&cfg, build)?;
    same_scene(&root, env.spec())?;
    let mut learner = Learner::new(&cfg, env.spec().action_dim)?;
    let mut state = RunState::default(); // of a run whose process ended before its first checkpoint
    let mut passed_over = Vec::new();
    let from = found.as_ref().map(|loaded| loaded.snapshot.update);
    if let Some(loaded) = found {
        state = RunState::of(&loaded.snapshot)?;
        env.restore(&EnvSnapshot(loaded.snapshot.env.clone()))?;
        restore_models(&mut learner, &loaded.snapshot)?;
        learner.counts = state.counts.clone();
        passed_over = loaded.passed_over;
    }
    let changed = state.config != cfg.identity()? && !state.config.is_empty();
    // Nothing was changed so far. From here on the run is not finished, whatever an earlier process wrote.
    house.fs.remove(&summary).map_err(|e| disk_error("remove", &summary, &e))?;
    house.forget_requests(dir);
    let aside = from.map_or(Ok(Vec::new()), |update| checkpoint::set_aside(&*house.fs, dir, update))?;
    store.cut_back(state.episodes)?;
    let metrics = rows_behind((&house.fs, dir), &cfg, state.epoch, &evaluator)?;
    write_atomic(&*house.fs, &file, cfg.to_toml()?.as_bytes())?;
    note_resumption(&*house.fs, dir, learner.workers.count())?;
    let mut why = format!("at {} steps and {} updates", state.env_steps, state.counts.updates);
    if !aside.is_empty() {
        why += &format!("; newer checkpoints set aside: {}", aside.join(", "));
    }
    let mut run = Run::new((cfg, store, metrics), (env, evaluator), (learner, state), progress, house);
    if changed {
        let so = "what follows is not the uninterrupted run bit for bit";
        run.durably(|run| run.tell(Kind::Damaged, &format!("config.toml is not that of the checkpoint; {so}")))?;
    }
    for damage in passed_over {
        run.durably(|run| run.tell(Kind::Damaged, &format!("checkpoint passed over: {damage}")))?;
    }
    run.explore(Kind::Resumed, &why)
}

/// The summary of a run that has nothing left to do; one that was stopped in its last epoch has all steps and updates too.
fn finished(dir: &Path, summary: &Path, cfg: &Config) -> Option<Summary> {
    let done: Summary = serde_json::from_str(&std::fs::read_to_string(summary).ok()?).ok()?;
    let told = Status::read(&DiskFs, dir).is_ok_and(|status| status.state == "done");
    (told && done.env_steps >= last_step(&cfg.run) && done.updates >= cfg.run.epochs() * cfg.run.updates_per_epoch)
        .then_some(done)
}

/// `metrics.csv` as it was at the checkpoint: the rows of the whole epochs behind it, not that of the one under way.
/// Rows that are gone are told of, and the run goes on without them.
fn rows_behind(
    (fs, dir): (&Arc<dyn Fs>, &Path),
    cfg: &Config,
    epoch: u64,
    evaluator: &Evaluator,
) -> Result<MetricsCsv> {
    let path = dir.join("metrics.csv");
    if !path.exists() {
        tracing::error!("{}: is gone; a new one goes on from here", path.display());
        write_atomic(&**fs, &path, MetricsCsv::header(&evaluator.columns()).as_bytes())?;
    }
    let last = cfg.run.warmup_steps + (epoch + 1) * cfg.run.epoch_steps - 1;
    let held = metrics::read(&path)?.env_steps.iter().filter(|steps| **steps <= last).count();
    if (held as u64) < epoch {
        tracing::error!("{}: holds {held} rows of {epoch}; the others are lost", path.display());
    }
    MetricsCsv::cut_back(Arc::clone(fs), &path, last)
}

/// Adds this process to `provenance.json`, and tells where its results cannot be those of the one that began the run.
fn note_resumption(fs: &dyn Fs, dir: &Path, threads: usize) -> Result<()> {
    let path = dir.join("provenance.json");
    let read = |text: String| serde_json::from_str::<Map<String, Value>>(&text).ok();
    let Some(mut facts) = std::fs::read_to_string(&path).ok().and_then(read) else {
        tracing::error!("{}: is gone or broken; nobody can tell whether this is the machine of before", path.display());
        return Ok(());
    };
    let here = provenance::collect(&[], threads, SystemTime::now());
    for key in ["threads", "cpu_features", "git_commit", "git_dirty", "rustc", "program_blake3"] {
        let is = &here[key];
        if let Some(was) = facts.get(key).filter(|was| *was != is) {
            let so = "what follows is not the uninterrupted run bit for bit";
            tracing::error!("{key} is {is} here and was {was} when the run began: {so}");
        }
    }
    let kept = ["started_at", "threads", "cpu", "cpu_features", "git_commit", "git_dirty", "program_blake3", "version"];
    let record: Map<String, Value> = kept.into_iter().map(|key| (key.to_owned(), here[key].clone())).collect();
    match facts.entry("resumed").or_insert_with(|| json!([])) {
        Value::Array(records) => records.push(record.into()),
        other => *other = json!([record]),
    }
    write_atomic(fs, &path, format!("{:#}\n", Value::Object(facts)).as_bytes())
}

impl Run<'_> {
    /// Coverage from every committed episode, replay from the newest ones. A damaged shard is named and left out.
    pub(super) fn replay_episodes(&mut self) -> Result<()> {
        let lines = self.store.lines().to_vec();
        let steps: Vec<u64> = lines.iter().map(|line| line.steps).collect();
        let kept = newest_within(&steps, self.cfg.replay.capacity as u64);
        let mut episodes: Vec<Episode> = Vec::with_capacity(kept);
        for (i, line) in lines.iter().enumerate() {
            self.work += 1;
            if i.is_multiple_of(16) {
                self.tick("reading episodes");
            }
            let mut episode = self.store.episode(line.id);
            if matches!(episode, Err(Error::Damaged(_))) {
                self.durably(|run| run.store.readable(line))?; // what cannot be read now is not damaged
                episode = self.store.episode(line.id);
            }
            match episode {
                Ok(episode) => {
                    self.observe(&episode);
                    if i + kept >= lines.len() {
                        episodes.push(episode);
                    }
                }
                Err(damage @ Error::Damaged(_)) => {
                    let so = "what follows is not the uninterrupted run bit for bit";
                    self.durably(|run| run.tell(Kind::Damaged, &format!("left out: {damage}; {so}")))?;
                }
                Err(other) => return Err(other),
            }
        }
        let pulse = &mut self.house.pulse;
        self.learner.restore_replay(episodes, &mut || pulse.beat())
    }
}

/// How many of the newest episodes fit `capacity` steps; at least one where there is one.
fn newest_within(steps: &[u64], capacity: u64) -> usize {
    let mut sum = 0;
    let fits = |steps: &&u64| {
        sum += **steps;
        sum <= capacity
    };
    steps.iter().rev().take_while(fits).count().max(steps.len().min(1))
}

#[cfg(test)]
mod tests {
    use super::newest_within;

    #[test]
    fn replay_holds_the_newest_episodes_that_fit() {
        assert_eq!([newest_within(&[], 10), newest_within(&[50], 10)], [0, 1]);
        assert_eq!(
            [newest_within(&[5, 5, 5], 10), newest_within(&[5, 5, 4], 9), newest_within(&[1, 20], 10)],
            [2, 2, 1]
        );
    }
}
