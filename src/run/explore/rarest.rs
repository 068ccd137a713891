//! The least likely stored frames under the VAE of the last refresh. Needs no true states.

use skewfit_envs::Image;

use crate::learn::replay::StoredEpisode;
use crate::show::report::Reached;

/// Number of pictures.
const SHOWN: usize = 12;

/// The frames with the least log p, at most one for each episode, each with the goal that was active. `densities` pairs
/// each stored episode with log p of its next observations (T).
pub(super) fn rarest<'a>(
    densities: impl Iterator<Item = (&'a StoredEpisode, &'a [f64])>,
    image_size: usize,
) -> Vec<Reached> {
    let least = |log_density: &[f64]| -> Option<(f64, usize)> {
        let known = log_density.iter().copied().zip(1..).filter(|(log_p, _)| log_p.is_finite());
        known.min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let mut found: Vec<_> = densities.filter_map(|(episode, log_p)| Some((episode, least(log_p)?))).collect();
    found.sort_by(|a, b| a.1.0.total_cmp(&b.1.0));
    let image = |pixels: &[u8]| Image { size: image_size, pixels: pixels.to_vec() };
    let shown = found.into_iter().take(SHOWN).map(|(episode, (log_p, t))| Reached {
        goal: image(&episode.goal_at(t - 1).picture),
        reached: image(episode.frame(t)),
        caption: format!("log p {log_p:.1}: episode {}, step {t}", episode.id()),
        error: log_p,
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::replay::Replay;
    use crate::learn::replay::tests::filled;

    #[test]
    fn the_least_likely_come_first_and_one_for_each_episode() {
        let replay = filled(100, &[3, 2, 2]);
        let rarest_of = |replay: &Replay, densities: &[Vec<f64>]| {
            rarest(replay.episodes().zip(densities.iter().map(Vec::as_slice)), 1)
        };
        assert_eq!(rarest_of(&replay, &[]), [], "without densities");
        let densities = [vec![-1.0, -9.0, -8.0], vec![f64::NAN, f64::NEG_INFINITY], vec![-4.0, -20.0]];
        let shown: Vec<_> =
            rarest_of(&replay, &densities).into_iter().map(|r| (r.reached.pixels, r.goal.pixels, r.error)).collect();
        assert_eq!(shown, [(vec![2, 2, 7], vec![2; 3], -20.0), (vec![0, 2, 7], vec![0; 3], -9.0)]);
        let many = filled(1000, &[1; 40]);
        let densities: Vec<Vec<f64>> = (0..40).map(|k| vec![-f64::from(k)]).collect();
        assert_eq!(rarest_of(&many, &densities).len(), SHOWN);
    }
}
