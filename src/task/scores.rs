//! Scores of a set of attempts: mean metrics, success rate, a threshold on the latent distance, rank correlations, and
//! the score of the best constant answer.
//!
//! Rank correlation: Spearman's, between the goals' and the reached values of each coordinate.
//! Best constant answer: the score of a policy that ignores the goal and always ends in the same state. For each metric
//! separately, the state is the goal's whose mean metric over all goals is least. For an error along one coordinate this
//! is a median of the goals, which no other constant beats.

use skewfit_envs::{Env, Metrics, StateVec, Truth};

use super::attempt::Attempt;
use crate::statistics::{mean, spearman};

/// Name of the metric that is used without a ground truth.
pub const LATENT_DISTANCE: &str = "latent_distance";

/// Mean of each metric over the attempts that have it, and the success rate. Without a ground truth (`judged` is
/// false): the mean latent distance.
#[must_use]
pub fn means(attempts: &[Attempt], judged: bool) -> (Vec<(String, f64)>, Option<f64>) {
    if !judged && !attempts.is_empty() {
        let distances: Vec<f64> = attempts.iter().map(|a| a.latent_distance).collect();
        return (vec![(LATENT_DISTANCE.to_owned(), mean(&distances))], None);
    }
    let names: Vec<&str> = attempts.first().map_or_else(Vec::new, |a| a.metrics.iter().map(|m| m.0.as_ref()).collect());
    let of = |name: &str| {
        let values = attempts.iter().flat_map(|a| &a.metrics).filter(|m| m.0 == name).map(|m| m.1);
        mean(&values.collect::<Vec<_>>())
    };
    let metrics = names.iter().map(|name| ((*name).to_owned(), of(name))).collect();
    let judged: Vec<f64> = attempts.iter().filter_map(|a| a.success).map(|s| f64::from(u8::from(s))).collect();
    (metrics, (!judged.is_empty()).then(|| mean(&judged)))
}

/// Rank correlations and the best constant scores over the attempts whose goal has a true state.
#[must_use]
pub fn over_goals(attempts: &[Attempt], env: &dyn Env) -> Vec<(String, f64)> {
    let pair = |a: &Attempt| Some((a.goal.state.clone()?, a.state.clone()?));
    over_pairs(env, &attempts.iter().filter_map(pair).collect::<Vec<_>>())
}

/// The latent distance that best separates successful from failed attempts; `None` if there are only attempts of one
/// kind.
#[must_use]
pub fn latent_threshold(attempts: &[Attempt]) -> Option<f64> {
    let mut known: Vec<(f64, bool)> = attempts.iter().filter_map(|a| Some((a.latent_distance, a.success?))).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let successes = known.iter().filter(|k| k.1).count();
    if successes == 0 || successes == known.len() {
        return None;
    }
    let right = |threshold: f64| known.iter().filter(|(d, yes)| (*d <= threshold) == *yes).count();
    known.windows(2).map(|w| 0.5 * (w[0].0 + w[1].0)).max_by_key(|t| right(*t))
}

/// `rank_correlation_<coordinate>` and `best_constant_<metric>` over (goal, reached) states; undefined values are
/// omitted.
fn over_pairs(env: &dyn Env, pairs: &[(StateVec, StateVec)]) -> Vec<(String, f64)> {
    let names = env.spec().state_names.iter().enumerate();
    let ranks = names.filter_map(|(i, name)| {
        let along: Option<(Vec<_>, Vec<_>)> = pairs.iter().map(|(g, r)| Some((*g.0.get(i)?, *r.0.get(i)?))).collect();
        let (goals, reached) = along?;
        Some((format!("rank_correlation_{name}"), spearman(&goals, &reached)?))
    });
    let goals: Vec<&StateVec> = pairs.iter().map(|(goal, _)| goal).collect();
    ranks.chain(env.truth().into_iter().flat_map(|truth| best_constants(truth, &goals))).collect()
}

fn best_constants(truth: &dyn Truth, goals: &[&StateVec]) -> Vec<(String, f64)> {
    let mean = |answer: &StateVec| -> Metrics {
        let mut sums = Metrics::new();
        for goal in goals {
            for (i, (name, value)) in truth.metrics(answer, goal).into_iter().enumerate() {
                match sums.get_mut(i) {
                    Some(sum) => sum.1 += value,
                    None => sums.push((name, value)),
                }
            }
        }
        sums.into_iter().map(|(name, sum)| (name, sum / goals.len() as f64)).collect()
    };
    let least = |a: Metrics, b: Metrics| a.into_iter().zip(b).map(|(a, b)| (a.0, a.1.min(b.1))).collect();
    let best = goals.iter().map(|answer| mean(answer)).reduce(least).unwrap_or_default();
    best.into_iter().map(|(name, value)| (format!("best_constant_{name}"), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::task::scene::build;

    #[test]
    fn the_best_constant_of_an_error_is_the_median() {
        let door = build(&Config::resolve("door", vec![]).unwrap().env, 0).unwrap();
        let angles = [0.6, 0.0, 0.1, 0.05, 0.5];
        let pair = |angle: f64| (StateVec(vec![0.0, 0.5, 0.2, angle]), StateVec(vec![0.0, 0.5, 0.2, 2.0 * angle]));
        let all = over_pairs(&*door, &angles.map(pair));
        let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["rank_correlation_angle", "best_constant_angle_error_rad", "best_constant_hand_distance_m"],
            "a hand that does not move has no ranks"
        );
        let median = angles.iter().map(|a| (a - 0.1).abs()).sum::<f64>() / 5.0;
        assert_eq!(all[0].1, 1.0);
        assert!((all[1].1 - median).abs() < 1e-12 && all[2].1 == 0.0, "{all:?}");
        assert_eq!(over_pairs(&*door, &[]), []);
    }
}
