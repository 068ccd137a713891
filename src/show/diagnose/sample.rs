//! The sample of a run that is examined: frames spread evenly over its episodes, early and late goals, the latest episodes.
//!
//! Its size is bounded and it is drawn from named streams: the same run gives the same sample, in seconds.

use rand::Rng as _;
use rayon::prelude::*;

use crate::config::Config;
use crate::error::Result;
use crate::keep::store::{Damage, JournalLine, Store};
use crate::learn::episode::{Episode, GoalOrigin};
use crate::learn::rng;

/// Frames in the sample.
pub const FRAMES: usize = 2000;
/// Most episodes read, spread over the run.
const EPISODES: usize = 400;
/// Latest episodes kept whole.
const RECENT: usize = 20;
/// Goals taken from each end of the run.
const GOALS: usize = 64;
/// An action entry with |a| above this counts as at its bound.
pub const SATURATED: f32 = 0.95;

/// A stored frame: the next observation of a transition.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledFrame {
    /// Id of its episode.
    pub episode: u64,
    /// t in `1..=T`.
    pub step: usize,
    /// (H, W, 3) u8.
    pub picture: Vec<u8>,
    /// The state that visits are counted by, (S): see [`Episode::counted`].
    pub state: Vec<f64>,
}

/// The goal of an exploration episode.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnGoal {
    /// (H, W, 3) u8.
    pub picture: Vec<u8>,
    /// The source of the goal.
    pub origin: GoalOrigin,
}

/// The contribution of one episode.
#[derive(Debug)]
struct EpisodeSample {
    frames: Vec<SampledFrame>,
    goal: OwnGoal,
    states: Vec<f64>,
    state_names: Vec<String>,
    saturated: f64,
    whole: Option<Episode>,
}

/// The sample.
#[derive(Debug, Default)]
pub struct Sample {
    /// Frames spread over the run, oldest first.
    pub frames: Vec<SampledFrame>,
    /// The latest episodes after the warm-up.
    pub recent: Vec<Episode>,
    /// The first goals after the warm-up.
    pub early: Vec<OwnGoal>,
    /// The last goals.
    pub late: Vec<OwnGoal>,
    /// All visited states (n, S) of the episodes read.
    pub states: Vec<f64>,
    /// Names of the states (S).
    pub state_names: Vec<String>,
    /// (exploration steps, share of action entries at their bound) of each episode read.
    pub saturation: Vec<(f64, f64)>,
    /// Episodes read.
    pub episodes: usize,
    /// Shards that could not be read.
    pub damaged: Vec<Damage>,
}

/// Reads the sample; damaged episodes are left out and listed.
///
/// # Errors
/// If an episode could not be read for another reason than damage.
pub fn read(store: &Store, cfg: &Config) -> Result<Sample> {
    let own: Vec<u64> = store.lines().iter().filter(|l| l.env_steps_end > cfg.run.warmup_steps).map(|l| l.id).collect();
    let recent = &own[own.len().saturating_sub(RECENT)..];
    let half = GOALS.min(own.len() / 2);
    let (first, last) = (&own[..half], &own[own.len() - half..]);
    let lines = chosen(store.lines(), [first, last, recent].concat());
    let picks = picks(&lines, cfg.seed);
    let piece_of = |line: &JournalLine, picks: &[usize]| {
        let read = store.sound(line)?;
        Ok(read.map(|episode| piece(episode, picks, recent.contains(&line.id))))
    };
    let pieces: Result<Vec<_>> = lines.par_iter().zip(picks).map(|(line, picks)| piece_of(line, &picks)).collect();
    let mut sample = Sample::default();
    for (line, piece) in lines.iter().zip(pieces?) {
        match piece {
            Ok(piece) => sample.add(line, piece, first, last),
            Err(damage) => sample.damaged.push(damage),
        }
    }
    Ok(sample)
}

impl Sample {
    fn add(&mut self, line: &JournalLine, piece: EpisodeSample, first: &[u64], last: &[u64]) {
        self.episodes += 1;
        self.frames.extend(piece.frames);
        self.states.extend(piece.states);
        self.saturation.push((line.env_steps_end as f64, piece.saturated));
        self.recent.extend(piece.whole);
        self.state_names = piece.state_names;
        if first.contains(&line.id) {
            self.early.push(piece.goal);
        } else if last.contains(&line.id) {
            self.late.push(piece.goal);
        }
    }
}

/// At most [`EPISODES`] lines spread over the run, and those whose id is in `wanted`.
fn chosen(lines: &[JournalLine], mut wanted: Vec<u64>) -> Vec<JournalLine> {
    let n = EPISODES.min(lines.len());
    wanted.extend((0..n).map(|i| lines[i * lines.len() / n].id));
    wanted.sort_unstable();
    lines.iter().filter(|line| wanted.binary_search(&line.id).is_ok()).cloned().collect()
}

/// The sampled steps in `1..=T` of each episode: a random one in each of [`FRAMES`] equal parts of all steps.
fn picks(lines: &[JournalLine], seed: u64) -> Vec<Vec<usize>> {
    let ends: Vec<u64> = lines
        .iter()
        .scan(0, |sum, line| {
            Some({
                *sum += line.steps;
                *sum
            })
        })
        .collect();
    let total = ends.last().copied().unwrap_or_default();
    let n = total.min(FRAMES as u64);
    let mut draws = rng::stream(seed, "diagnose-frames", &[]);
    let mut picks = vec![Vec::new(); lines.len()];
    for i in 0..n {
        let at = draws.random_range(i * total / n..(i + 1) * total / n);
        let episode = ends.partition_point(|end| *end <= at);
        let begin = ends[episode] - lines[episode].steps;
        picks[episode].push((at - begin) as usize + 1);
    }
    picks
}

fn piece(episode: Episode, picks: &[usize], whole: bool) -> EpisodeSample {
    let frame = |t: &usize| SampledFrame {
        episode: episode.id,
        step: *t,
        picture: episode.frame(*t).to_vec(),
        state: episode.counted(*t),
    };
    let at_bound = episode.actions.iter().filter(|a| a.abs() > SATURATED).count();
    EpisodeSample {
        frames: picks.iter().map(frame).collect(),
        goal: OwnGoal { picture: episode.goal.picture.clone(), origin: episode.goal.origin },
        states: (1..=episode.steps()).flat_map(|t| episode.counted(t)).collect(),
        state_names: episode.counted_names(),
        saturated: at_bound as f64 / episode.actions.len().max(1) as f64,
        whole: whole.then_some(episode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skewfit_envs::Ending;

    fn line(id: u64, steps: u64) -> JournalLine {
        let (file, blake3) = (String::new(), String::new());
        let goal_source = GoalOrigin::Prior;
        let (env_steps_end, ending) = (0, Ending::Truncated);
        let [at_update, left_out, goals, reached] = [None; 4];
        JournalLine { id, steps, env_steps_end, file, blake3, goal_source, ending, at_update, left_out, goals, reached }
    }

    #[test]
    fn frames_are_spread_evenly_and_bounded() {
        for (episodes, steps, want) in [(300, 100, FRAMES), (3, 50, 150), (0, 0, 0)] {
            let lines: Vec<_> = (0..episodes).map(|id| line(id, steps)).collect();
            let picks = picks(&lines, 7);
            assert_eq!(picks.concat().len(), want);
            assert!(picks.concat().iter().all(|t| (1..=steps as usize).contains(t)));
            let share = want as f64 / episodes.max(1) as f64;
            assert!(picks.iter().all(|p| (p.len() as f64 - share).abs() <= 2.0), "{picks:?}");
        }
        assert_eq!(picks(&[line(0, 2), line(1, 3)], 1), [vec![1, 2], vec![1, 2, 3]]);
    }

    #[test]
    fn a_long_run_is_read_in_part_with_the_wanted_episodes() {
        let lines: Vec<_> = (0..10_000).map(|id| line(id, 1)).collect();
        let ids: Vec<u64> = chosen(&lines, vec![7, 9999]).iter().map(|l| l.id).collect();
        assert_eq!((ids.len(), ids[0], ids[1], ids.last()), (EPISODES + 2, 0, 7, Some(&9999)));
    }
}
