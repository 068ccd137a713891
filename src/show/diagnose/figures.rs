//! The figures of the page, in the order of its questions.

use super::findings::Findings;
use super::probe::StateProbe;
use super::sheets::{DIMENSIONS, gallery, reconstructions, traversals};
use crate::error::Result;
use crate::learn::learner::Learner;
use crate::show::report::diagnosis::{Diagram, Figure, MarkStyle, Marks, Matrix, Scale};
use crate::statistics::mean;

/// Bars of the weights' histogram.
const BARS: usize = 40;

/// (name, figure); a figure with nothing to show is left out when it is saved.
///
/// # Errors
/// Those of the latent model.
pub fn figures(found: &Findings, learner: &mut Learner) -> Result<Vec<(&'static str, Figure)>> {
    if found.sample.frames.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        ("traversals", traversals(found, learner)?),
        ("correlations", correlations(found)),
        ("density", density(found)),
        ("weights", weights(found)),
        ("goals", gallery(found)),
        ("goal_states", goal_states(found)),
        ("goals_reached", goals_reached(found)),
        ("returns", returns(found)),
        ("policy", policy(found)),
        ("reconstructions", reconstructions(found, learner)?),
    ])
}

fn correlations(found: &Findings) -> Figure {
    let active: Vec<usize> = found.encoded.active().into_iter().take(DIMENSIONS).collect();
    let values = |p: &StateProbe| p.correlation.iter().copied().take(DIMENSIONS).collect();
    Figure::Matrix(Matrix {
        heading: "Correlation of each true state with each active dimension".into(),
        rows: found.probes.iter().map(|p| p.name.replace('_', " ")).collect(),
        columns: active.iter().map(|d| format!("z{d}")).collect(),
        values: found.probes.iter().map(values).collect(),
    })
}

fn scale(name: &str) -> Scale {
    Scale { name: name.into(), ..Scale::default() }
}

fn logarithmic(name: &str) -> Scale {
    Scale { name: name.into(), logarithmic: true, ends: None }
}

fn marks(style: MarkStyle, label: &str, points: Vec<(f64, f64)>) -> Marks {
    Marks { label: label.into(), style, points }
}

fn diagram(heading: String, across: Scale, up: Scale, marks: Vec<Marks>) -> Diagram {
    Diagram { heading, across, up, marks, diagonal: false }
}

/// `: rank correlation 0.42`.
fn rank(rank: Option<f64>) -> String {
    rank.map_or(String::new(), |r| format!(": rank correlation {r:.2}").replace('-', "−"))
}

const VISITS: &str = "visits of the true state's cell";
const WEIGHT: &str = "weight relative to uniform sampling";
const LOG_P: &str = "log p(x) minus its mean, nats";

fn density(found: &Findings) -> Figure {
    let centre = mean(&found.encoded.log_density);
    let log_p = || found.encoded.log_density.iter().map(|log_p| log_p - centre);
    let by = |x: &[f64]| marks(MarkStyle::Dots, "", x.iter().copied().zip(log_p()).collect());
    let visits = found.visits.as_ref().map(|visits| {
        let heading = format!("Density and visits{}", rank(found.density_rank()));
        diagram(heading, logarithmic(VISITS), scale(LOG_P), vec![by(visits)])
    });
    let states = found.axes().into_iter().next().map(|(k, name)| {
        let values: Vec<f64> = found.sample.frames.iter().map(|f| f.state[k]).collect();
        diagram(format!("Density and {name}"), scale(&name), scale(LOG_P), vec![by(&values)])
    });
    Figure::Diagrams(visits.into_iter().chain(states).collect())
}

fn weights(found: &Findings) -> Figure {
    let mut diagrams = Vec::new();
    if let Some(skewed) = &found.skewed {
        let bars = marks(MarkStyle::Bars, "", histogram(&skewed.weights));
        let heading = format!("Weights of {} frames", skewed.weights.len());
        diagrams.push(diagram(heading, logarithmic(WEIGHT), logarithmic("frames"), vec![bars]));
        if let Some(visits) = &found.visits {
            let points = skewed.frames.iter().zip(&skewed.weights).map(|(i, w)| (visits[*i], *w)).collect();
            let heading = format!("Weight and visits{}", rank(found.weight_rank()));
            let points = vec![marks(MarkStyle::Dots, "", points)];
            diagrams.push(diagram(heading, logarithmic(VISITS), logarithmic(WEIGHT), points));
        }
    }
    diagrams.push(over_time(found, "Effective sample size of the weights", "ESS / N", "skew/ess"));
    diagrams.push(over_time(found, "Largest weight", "probability of one picture", "skew/max_weight"));
    Figure::Diagrams(diagrams)
}

/// (centre, count) of equal bars over the logarithms of the weights; empty bars are left out.
fn histogram(weights: &[f64]) -> Vec<(f64, f64)> {
    let logs: Vec<f64> = weights.iter().filter(|w| **w > 0.0).map(|w| w.log10()).collect();
    let (low, high) = logs.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let width = ((high - low) / BARS as f64).max(1e-6);
    let mut counts = [0u32; BARS];
    logs.iter().for_each(|v| counts[(((v - low) / width) as usize).min(BARS - 1)] += 1);
    let bars = counts.iter().enumerate().filter(|(_, n)| **n > 0);
    bars.map(|(k, n)| (10f64.powf(low + (k as f64 + 0.5) * width), f64::from(*n))).collect()
}

fn over_time(found: &Findings, heading: &str, name: &str, column: &str) -> Diagram {
    diagram(heading.into(), scale("environment steps"), scale(name), vec![line(found, "", column)])
}

fn line(found: &Findings, label: &str, column: &str) -> Marks {
    let values = found.table.column(column).unwrap_or_default();
    let points = found.table.env_steps.iter().zip(values).filter_map(|(x, y)| Some((*x as f64, (*y)?)));
    marks(MarkStyle::Line, label, points.collect())
}

fn goal_states(found: &Findings) -> Figure {
    let [(x, across), (y, up)] = &found.axes()[..] else { return Figure::Diagrams(Vec::new()) };
    let frames = &found.sample.frames;
    let place = |i: usize| (frames[i].state[*x], frames[i].state[*y]);
    let of = |frames: &[usize]| frames.iter().map(|i| place(*i)).collect::<Vec<_>>();
    let [early, late] = &found.goal_frames;
    let all = vec![
        marks(MarkStyle::Faint, "frames", (0..frames.len()).map(place).collect()),
        marks(MarkStyle::Dots, "early goals", of(early)),
        marks(MarkStyle::Dots, "late goals", of(late)),
    ];
    let heading = "States of the stored frames nearest to the goals".into();
    let shown = !(early.is_empty() && late.is_empty());
    Figure::Diagrams(shown.then(|| diagram(heading, scale(across), scale(up), all)).into_iter().collect())
}

/// Each goal at its distance, 1 if it was reached; and the shares of tenths of the goals, by distance.
fn goals_reached(found: &Findings) -> Figure {
    let mut goals = found.practice.goals.clone();
    goals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tenth = goals.len().div_ceil(10).max(1);
    let means = |part: &[(f64, f64)]| {
        let (distances, reached): (Vec<f64>, Vec<f64>) = part.iter().copied().unzip();
        (mean(&distances), mean(&reached))
    };
    let shares = goals.chunks(tenth).map(means).collect();
    let (across, up) = (
        scale("latent distance where it was set, median steps"),
        Scale { name: "reached, of 1".into(), logarithmic: false, ends: Some((-0.05, 1.05)) },
    );
    let all = vec![marks(MarkStyle::Faint, "goals", goals.clone()), marks(MarkStyle::Line, "share", shares)];
    let shown = goals.len() > 1;
    Figure::Diagrams(
        shown.then(|| diagram("Goals reached by their distance".into(), across, up, all)).into_iter().collect(),
    )
}

fn returns(found: &Findings) -> Figure {
    let Some(returns) = &found.returns else { return Figure::Diagrams(Vec::new()) };
    let (across, up) = (scale("soft return of the stored episode"), scale("Q, as in the actor's loss"));
    let points = vec![marks(MarkStyle::Dots, "", returns.points.clone())];
    let heading = format!("Q and soft return{}", rank(returns.rank()));
    Figure::Diagrams(vec![Diagram { diagonal: true, ..diagram(heading, across, up, points) }])
}

fn policy(found: &Findings) -> Figure {
    let mut entropy = over_time(found, "Entropy of the policy", "nats", "train/entropy");
    let ends = found.table.env_steps.first().zip(found.table.env_steps.last());
    if let Some((first, last)) = ends.filter(|_| !found.sample.recent.is_empty()) {
        let target = [*first, *last].map(|x| (x as f64, found.target_entropy()));
        entropy.marks[0].label = "policy".into();
        entropy.marks.push(marks(MarkStyle::Line, "target", target.to_vec()));
    }
    let mut temperature = over_time(found, "Temperature", "log scale", "train/temperature");
    temperature.up.logarithmic = true;
    let shares = Scale { name: "share of |a| > 0.95 per episode".into(), logarithmic: false, ends: Some((0.0, 1.0)) };
    let saturation = marks(MarkStyle::Dots, "", found.sample.saturation.clone());
    Figure::Diagrams(vec![
        entropy,
        temperature,
        over_time(found, "Mean reward in training", "−latent distance", "reward/mean"),
        diagram("Actions at their bounds".into(), scale("environment steps"), shares, vec![saturation]),
        over_time(found, "Mean Q in training", "Q", "train/q_mean"),
        over_time(found, "VAE reconstruction error", "|x − x'|² per picture", "vae/sse"),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_weight_is_counted_in_one_bar() {
        let weights: Vec<f64> = (0..100).map(|i| 10f64.powf(f64::from(i) / 25.0 - 2.0)).chain([0.0]).collect();
        let bars = histogram(&weights);
        assert_eq!(bars.iter().map(|b| b.1).sum::<f64>(), 100.0);
        assert!(bars[0].0 > 0.01 && bars[0].0 < 0.013 && bars.len() == BARS, "{bars:?}");
        assert_eq!(histogram(&[1.0, 1.0]).iter().map(|b| b.1).sum::<f64>(), 2.0);
        assert!(histogram(&[]).is_empty());
    }
}
