//! Pictures of a run's newest episodes: final picture and goal. The final picture of the last episode is what the camera
//! sees now, since the scene does not move between episodes.

use std::collections::VecDeque;
use std::path::Path;

use serde::Serialize;

use crate::keep::store::{JournalLine, Store};
use crate::show::pictures::png;

/// Episodes shown.
const SHOWN: usize = 7;
/// Bytes read from the end of the journal; a line has about 0.3 KiB.
const TAIL_BYTES: u64 = 16 << 10;

/// One episode with its pictures.
#[derive(Serialize)]
struct EpisodePictures {
    /// The first 16 digits of its shard's hash: identifies the episode and its content.
    name: String,
    id: u64,
    steps: u64,
    env_steps_end: u64,
    goal_source: &'static str,
    /// Number of its goals; the last one is shown.
    goals: u64,
    #[serde(skip)]
    goal: Vec<u8>,
    #[serde(skip)]
    reached: Vec<u8>,
}

/// The newest episodes, oldest first.
#[derive(Default)]
pub struct Gallery(VecDeque<EpisodePictures>);

impl Gallery {
    /// Reads the episodes committed since the last call; damaged shards are left out.
    pub fn read_new_episodes(&mut self, dir: &Path) {
        let Ok(store) = Store::read_tail(dir, TAIL_BYTES) else {
            return self.0.clear();
        };
        let newest = store.lines().iter().skip(store.lines().len().saturating_sub(SHOWN));
        let mut known = std::mem::take(&mut self.0);
        self.0 = newest
            .filter_map(|line| {
                let known_at = known.iter().position(|shown| line.blake3.starts_with(&shown.name));
                known_at.and_then(|at| known.remove(at)).or_else(|| shown(&store, line))
            })
            .collect();
    }

    /// The episodes as JSON, oldest first.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }

    /// (exploration steps at the end of the newest episode, number of episodes).
    pub fn newest(&self) -> Option<(u64, u64)> {
        self.0.back().map(|shown| (shown.env_steps_end, shown.id + 1))
    }

    /// A picture of an episode as PNG; `which` is `goal` or `reached`.
    pub fn picture(&self, name: &str, which: &str) -> Option<Vec<u8>> {
        let shown = self.0.iter().find(|shown| shown.name == name)?;
        match which {
            "goal" => Some(shown.goal.clone()),
            "reached" => Some(shown.reached.clone()),
            _ => None,
        }
    }
}

fn shown(store: &Store, line: &JournalLine) -> Option<EpisodePictures> {
    let episode = store.episode(line.id).ok()?;
    Some(EpisodePictures {
        name: line.blake3.get(..16)?.to_owned(),
        id: line.id,
        steps: line.steps,
        env_steps_end: line.env_steps_end,
        goal_source: episode.goal_at(episode.steps()).origin.name(),
        goals: line.goals.unwrap_or(1),
        goal: png(&episode.goal_image_at(episode.steps())).ok()?,
        reached: png(&episode.image(episode.steps())).ok()?,
    })
}
