//! The rarest a run has managed: what its VAE found least likely when it last looked at all pictures. Needs no true state.

use skewfit_envs::Image;

use crate::learn::replay::{Replay, Stored};
use crate::show::report::Reached;

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
        caption: format!("log p {log_p:.1}: episode {}, step {t}", episode.id()),
        error: log_p,
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::replay::tests::filled;

    #[test]
    fn the_least_likely_come_first_and_an_episode_once() {
        let mut replay = filled(100, &[3, 2, 2]);
        assert_eq!(rarest(&replay, 1), [], "before there are densities");
        let densities = vec![vec![-1.0, -9.0, -8.0], vec![f64::NAN, f64::NEG_INFINITY], vec![-4.0, -20.0]];
        replay.set_log_density(densities, -1.0, 0.0).unwrap();
        let shown: Vec<_> =
            rarest(&replay, 1).into_iter().map(|r| (r.reached.pixels, r.goal.pixels, r.error)).collect();
        assert_eq!(shown, [(vec![2, 2, 7], vec![2; 3], -20.0), (vec![0, 2, 7], vec![0; 3], -9.0)]);
        let mut many = filled(1000, &[1; 40]);
        many.set_log_density((0..40).map(|k| vec![-f64::from(k)]).collect(), -1.0, 0.0).unwrap();
        assert_eq!(rarest(&many, 1).len(), SHOWN);
    }
}
