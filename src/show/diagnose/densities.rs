//! Every density on the same frames: how well does it know rare states from common ones, and what would one skewing step
//! gain with it?

use super::encoded::EncodedFrames;
use super::rarity::CellVisits;
use super::sample::Sample;
use crate::config::Config;
use crate::error::Result;
use crate::learn::density::{KINDS, density};
use crate::learn::learner::Learner;
use crate::learn::settings::{DensityConfig, SkewConfig};
use crate::learn::skew::{Weights, skew_weights};
use crate::statistics::{entropy_nats, spearman};
use skewfit_envs::CoverageGrid;

/// Effective sample size over N at which densities are compared.
pub const COMPARED_ESS: f64 = 0.2;
/// Most cells along an axis.
const COARSE: usize = 20;

/// One density on the sampled frames.
#[derive(Clone, Debug, PartialEq)]
pub struct DensityRow {
    /// Its name in `density.estimator`; `log visits` for the counts themselves, the most that can be had.
    pub name: &'static str,
    /// Spearman's rank correlation of log p with the visits of the frame's cell.
    pub rank_correlation: Option<f64>,
    /// Entropy over cells gained by the weights p^power of the configuration, nats.
    pub gain: f64,
    /// The same with the power set so that ESS / N is [`COMPARED_ESS`].
    pub gain_at_ess: f64,
}

/// The grid with at most [`COARSE`] cells along each axis: on finer ones most cells of a sample hold a single frame.
#[must_use]
pub fn coarse(grid: &CoverageGrid) -> CoverageGrid {
    let mut grid = grid.clone();
    grid.axes.iter_mut().for_each(|axis| axis.cells = axis.cells.min(COARSE));
    grid
}

/// A row for each density on the sampled frames.
///
/// # Errors
/// Those of the latent model.
pub fn rows(
    learner: &mut Learner,
    cfg: &Config,
    sample: &Sample,
    encoded: &EncodedFrames,
    visits: &CellVisits,
) -> Result<Vec<DensityRow>> {
    let pictures: Vec<&[u8]> = sample.frames.iter().map(|frame| frame.picture.as_slice()).collect();
    let cells: Vec<usize> = sample.frames.iter().map(|frame| visits.cell(&frame.state)).collect();
    let visits: Vec<f64> = sample.frames.iter().map(|frame| visits.of(&frame.state)).collect();
    let mut rows = Vec::new();
    for (name, _) in KINDS {
        let settings = DensityConfig { estimator: name.to_owned(), ..cfg.density.clone() };
        let log_p = encoded.log_density_by(learner, cfg.seed, &*density(&settings), &pictures)?;
        rows.push(row(name, &log_p, cfg.skew.power, &cells, &visits));
    }
    let log_visits: Vec<f64> = visits.iter().map(|n| n.ln()).collect();
    rows.push(row("log visits", &log_visits, cfg.skew.power, &cells, &visits));
    Ok(rows)
}

fn row(name: &'static str, log_p: &[f64], power: f64, cells: &[usize], visits: &[f64]) -> DensityRow {
    let uniform = entropy(&Weights::uniform(cells.len()), cells);
    let gain = |weights: &Weights| entropy(weights, cells) - uniform;
    DensityRow {
        name,
        rank_correlation: spearman(log_p, visits),
        gain: gain(&skew_weights(log_p, power)),
        gain_at_ess: gain(&Weights::tempered(log_p, SkewConfig::STRONGEST, COMPARED_ESS).0),
    }
}

/// Entropy over cells of the weighted frames, nats.
fn entropy(weights: &Weights, cells: &[usize]) -> f64 {
    let mut mass = vec![0.0; cells.iter().max().map_or(0, |last| last + 1)];
    weights.p.iter().zip(cells).for_each(|(p, cell)| mass[*cell] += p);
    entropy_nats(&mass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_counts_make_the_cells_uniform_at_power_minus_one() {
        let cells = [0, 0, 0, 0, 1, 1, 2, 3]; // visited 4, 2, 1, 1 times
        let visits = [4.0, 4.0, 4.0, 4.0, 2.0, 2.0, 1.0, 1.0];
        let log_p: Vec<f64> = visits.iter().map(|n: &f64| n.ln()).collect();
        let before = 0.5 * 2f64.ln() + 0.25 * 4f64.ln() + 0.25 * 8f64.ln();
        let known = row("log visits", &log_p, -1.0, &cells, &visits);
        assert!((known.gain - (4f64.ln() - before)).abs() < 1e-12 && known.rank_correlation == Some(1.0));
        let blind = row("elbo", &[0.0; 8], -1.0, &cells, &visits);
        assert!(blind.gain.abs() < 1e-12 && blind.gain_at_ess.abs() < 1e-12 && blind.rank_correlation.is_none());
    }
}
