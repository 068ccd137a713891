//! The goals of episodes, and how evenly the states are visited, counted again from the shards.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{explore, metrics};
use skewfit::keep::store::Store;
use skewfit::learn::episode::Episode;

fn episodes(dir: &Path) -> Vec<Episode> {
    let store = Store::read_only(dir).unwrap();
    store.lines().iter().map(|line| store.episode(line.id).unwrap()).collect()
}

fn sum(dir: &Path, name: &str) -> f64 {
    metrics(dir)[name].iter().filter_map(|cell| cell.parse::<f64>().ok()).sum()
}

#[test]
fn who_wanders_takes_the_next_goal_after_the_wander_steps() {
    let dir = tempfile::tempdir().unwrap();
    let settings = ["goals.after_reaching=wander", "goals.wander_steps=7", "goals.radius=3"];
    explore(dir.path(), &[&settings[..], &["goals.keep_goal_picture=real"]].concat());
    let (episodes, store) = (episodes(dir.path()), Store::read_only(dir.path()).unwrap());
    let (mut later, mut reached) = (0, 0);
    for (episode, line) in episodes.iter().zip(store.lines()) {
        let goals: Vec<_> = episode.goals().collect();
        let arrived = goals.iter().filter(|goal| goal.reached.is_some()).count();
        assert_eq!(
            (line.goals, line.reached),
            match (goals.len(), arrived) {
                (1, 0) => (None, None),
                (goals, arrived) => (Some(goals as u64), Some(arrived as u64)),
            }
        );
        for pair in goals.windows(2) {
            assert_eq!(pair[0].reached.map(|t| t + 7), Some(pair[1].start), "episode {}", episode.id);
        }
        for goal in goals {
            let Some((id, t)) = goal.frame else { continue };
            assert!(id < episode.id && episodes[id as usize].frame(t) == goal.picture, "the goal's frame");
        }
        (later, reached) = (later + episode.later_goals.len(), reached + arrived);
    }
    assert!(later >= 5, "{later} goals after the first");
    assert_eq!(sum(dir.path(), "goals/reached"), reached as f64);
    assert_eq!(sum(dir.path(), "goals/idle_share"), 0.0);

    // The last epoch has the last two episodes.
    let distance = |a: &[f64], b: &[f64]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let goals = episodes[18..].iter().flat_map(|episode| episode.goals().map(move |goal| (episode, goal)));
    let known = goals.filter_map(|(episode, goal)| Some((episode.state(goal.start), goal.frame?)));
    let distances: Vec<f64> = known.map(|(state, (id, t))| distance(state, episodes[id as usize].state(t))).collect();
    let last = metrics(dir.path())["goals/true_distance"].last().unwrap().parse::<f64>().unwrap();
    assert!((last - distances.iter().sum::<f64>() / distances.len() as f64).abs() < 1e-9, "{last}, {distances:?}");
}

#[test]
fn who_stays_keeps_its_goal_and_stands_there() {
    let dir = tempfile::tempdir().unwrap();
    explore(dir.path(), &["goals.radius=3"]);
    assert!(
        episodes(dir.path()).iter().all(|episode| episode.later_goals.is_empty() && episode.goal.reached.is_none())
    );
    assert!(sum(dir.path(), "goals/reached") >= 1.0 && sum(dir.path(), "goals/idle_share") > 0.0);
}

/// Counted again from the shards, in tenths; a state on the hole's edge is moved outward.
#[test]
fn visits_are_compared_with_uniform_ones() {
    let dir = tempfile::tempdir().unwrap();
    explore(dir.path(), &[]);
    let store = Store::read_only(dir.path()).unwrap();
    let mut counts = BTreeMap::<Vec<u64>, f64>::new();
    for episode in (0..20).map(|id| store.episode(id).unwrap()) {
        let tenths = |v: &f64| ((v * 1.000_001 + 1.0) * 10.0).clamp(0.0, 19.0) as u64;
        (1..=50).for_each(|t| *counts.entry(episode.state(t).iter().map(tenths).collect()).or_default() += 1.0);
    }
    let numbers = |name| metrics(dir.path())[name].iter().filter_map(|cell| cell.parse().ok()).collect::<Vec<f64>>();
    let gap = 300f64.ln() - counts.values().map(|n| n / 1000.0 * (1000.0 / n).ln()).sum::<f64>();
    assert_eq!(numbers("coverage/reached_share").last(), Some(&(counts.len() as f64 / 300.0)));
    assert!((numbers("coverage/gap_nats")[7] - gap).abs() < 1e-9 && numbers("coverage/reached_share").is_sorted());
    assert!(numbers("skew/rank_corr").iter().all(|rank| rank.abs() <= 1.0) && numbers("skew/rank_corr").len() == 6);
    assert!(numbers("skew/entropy_gain").iter().all(|gain| gain.abs() < 1.0 && *gain != 0.0), "at power -.5");
}
