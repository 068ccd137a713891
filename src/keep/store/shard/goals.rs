//! The goals of an episode that had several, or that was seen to reach one: a row each in the group
//! `/goals/{start u64 (G), image u8 (G,H,W,3), latent f32 (G,Z), source u8 (G), reached i64 (G), frame i64 (G,2)}`.
//!
//! `source` counts in the words of its attribute `names`; `reached` is -1 for a goal that was not reached; `frame` is the
//! episode and the instant of the stored frame that the goal shows, or -1, -1. The first row is the goal in `/goal`.

use hdf5::{AttrValue, DType, FileBuilder};

use super::Shard;
use crate::learn::episode::{Episode, EpisodeGoal, GoalOrigin};

const GROUP: &str = "goals";
const ORIGINS: [GoalOrigin; 3] = [GoalOrigin::Prior, GoalOrigin::Replay, GoalOrigin::SkewedReplay];

/// Whether the episode's shard has the group.
pub fn has_goals(episode: &Episode) -> bool {
    !episode.later_goals.is_empty() || episode.goal.reached.is_some()
}

/// Adds the group to a shard if the episode [has](has_goals) it.
pub(super) fn add(file: &mut FileBuilder, episode: &Episode) {
    if !has_goals(episode) {
        return;
    }
    let (count, side, dim) =
        (1 + episode.later_goals.len() as u64, episode.image_size as u64, episode.goal.latent.len());
    let mut group = file.create_group(GROUP);
    let start: Vec<u64> = episode.goals().map(|goal| goal.start as u64).collect();
    group.create_dataset("start").with_data(&start).with_shape(&[count]);
    let image: Vec<u8> = episode.goals().flat_map(|goal| goal.picture.iter().copied()).collect();
    let image = group.create_dataset("image").with_u8_data(&image).with_shape(&[count, side, side, 3]);
    image.with_chunks(&[1, side, side, 3]).with_shuffle().with_deflate(1);
    let latent: Vec<f32> = episode.goals().flat_map(|goal| goal.latent.iter().copied()).collect();
    group.create_dataset("latent").with_data(&latent).with_shape(&[count, dim as u64]);
    let code = |goal: &EpisodeGoal| ORIGINS.iter().position(|origin| *origin == goal.origin).unwrap_or_default() as u8;
    let source: Vec<u8> = episode.goals().map(code).collect();
    let source = group.create_dataset("source").with_u8_data(&source).with_shape(&[count]);
    source.set_attr("names", AttrValue::VarLenStringArray(ORIGINS.map(|origin| origin.name().to_owned()).to_vec()));
    let reached: Vec<i64> = episode.goals().map(|goal| goal.reached.map_or(-1, |t| t as i64)).collect();
    group.create_dataset("reached").with_data(&reached).with_shape(&[count]);
    let frame = |goal: &EpisodeGoal| goal.frame.map_or([-1; 2], |(id, t)| [id as i64, t as i64]);
    let frames: Vec<i64> = episode.goals().flat_map(frame).collect();
    group.create_dataset("frame").with_data(&frames).with_shape(&[count, 2]);
    file.add_group(group.finish());
}

/// The goals in the group, in order; `None` if the shard has no such group.
pub(super) fn read(shard: &Shard) -> Result<Option<Vec<EpisodeGoal>>, String> {
    if !shard.file.root().groups().map_err(|e| e.to_string())?.iter().any(|name| name == GROUP) {
        return Ok(None);
    }
    let ([count], start) = shard.array::<u64, 1>("goals/start", DType::U64)?;
    let ([pictures, height, width, channels], image) = shard.array::<u8, 4>("goals/image", DType::U8)?;
    let ([latents, dim], latent) = shard.array::<f32, 2>("goals/latent", DType::F32)?;
    let ([sources], source) = shard.array::<u8, 1>("goals/source", DType::U8)?;
    let ([reaches], reached) = shard.array::<i64, 1>("goals/reached", DType::I64)?;
    let ([frames, 2], frame) = shard.array::<i64, 2>("goals/frame", DType::I64)? else {
        return Err("/goals/frame does not have two columns".into());
    };
    if count == 0 || dim == 0 || [pictures, latents, sources, reaches, frames] != [count; 5] {
        return Err("the arrays in /goals do not have one row for each goal".into());
    }
    let names = shard.names("goals/source")?;
    let origin = |code: u8| names.get(usize::from(code)).and_then(|name| GoalOrigin::from_name(name));
    let pixels = (height * width * channels).max(1);
    let rows = image.chunks_exact(pixels).zip(latent.chunks_exact(dim));
    let found = source.into_iter().zip(reached).zip(frame.as_chunks().0);
    let goals = start.into_iter().zip(rows).zip(found);
    type Row<'a> = ((u64, (&'a [u8], &'a [f32])), ((u8, i64), &'a [i64; 2]));
    let goal = |((start, (picture, latent)), ((code, reached), [id, t])): Row<'_>| {
        Some(EpisodeGoal {
            start: usize::try_from(start).ok()?,
            picture: picture.to_vec(),
            latent: latent.to_vec(),
            origin: origin(code)?,
            reached: usize::try_from(reached).ok(),
            frame: u64::try_from(*id).ok().zip(usize::try_from(*t).ok()),
        })
    };
    let goals: Option<Vec<_>> = goals.map(goal).collect();
    goals.map(Some).ok_or_else(|| "/goals has a start or a source that this program does not know".into())
}

/// Checks shapes and order: the first goal starts at 0, starts rise and lie before T, and a goal is reached while it is
/// active.
pub(super) fn check(episode: &Episode, pixels: usize) -> Result<(), String> {
    let dim = episode.goal.latent.len();
    for (k, (goal, span)) in episode.goal_spans().enumerate() {
        let begins = if k == 0 { goal.start == 0 } else { !span.is_empty() };
        let fits = goal.picture.len() == pixels && goal.latent.len() == dim;
        if !begins || !fits || goal.reached.is_some_and(|t| !(span.start..=span.end).contains(&t)) {
            return Err(format!("goal {k} does not fit the episode"));
        }
    }
    Ok(())
}
