//! The rarest a run has managed: what its VAE found least likely when it last looked at all pictures. Needs no true state.

use skewfit_envs::Image;

use crate::replay::{Replay, Stored};
use crate::report::Reached;

/// Pictures shown.
const SHOWN: usize = 12;

/// The pictures of least log p, one an episode, each beside the goal of then; none while densities are unknown.
pub(super) fn rarest(replay: &Replay, image_size: usize) -> Vec<Reached> {
    let least = |episode: &Stored| -> Option<(f64, usize)> {
        let known = episode.log_density()?.iter().copied().zip(1..).filter(|(log_p, _)| log_p.is_finite());
        known.min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let mut found: Vec<_> = replay.episodes().filter_map(|e| Some((e, least(e)?))).collect();
    found.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
    let image = |pixels: &[u8]| Image { size: image_size, pixels: pixels.to_vec() };
    let shown = found.into_iter().take(SHOWN).map(|(episode, (log_p, t))| Reached {
        goal: image(episode.goal_image()),
        reached: image(episode.frame(t)),
        caption: format!("log p {log_p:.0}: episode {}, step {t}", episode.id()),
        error: log_p,
    });
    shown.collect()
}
