//! Verdicts, one line each: statement, measured value, wanted value. The thresholds are here, each with its reason.

use serde::Serialize;

/// Severity of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Level {
    /// As wanted, or not measurable yet.
    #[serde(rename = "ok")]
    Ok,
    /// Worth checking.
    #[serde(rename = "warn")]
    Warn,
    /// Learning cannot succeed like this.
    #[serde(rename = "FAULT")]
    Fault,
}

impl Level {
    /// As text: `ok`, `warn`, `FAULT`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fault => "FAULT",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// For scripts: `sees_angle`, `skew_direction`, ...
    pub name: String,
    /// Severity.
    pub level: Level,
    /// The measured value; `None` if nothing could be measured.
    pub value: Option<f64>,
    /// The wanted lowest or highest value.
    pub threshold: Option<f64>,
    /// For people, with value and threshold.
    pub sentence: String,
}

/// The wanted range of a value, and the range in which it is a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    /// (wanted, fault below).
    AtLeast(f64, f64),
    /// (wanted, fault above).
    AtMost(f64, f64),
}

use Want::{AtLeast, AtMost};

/// Share of steps that stand at a reached goal. Above a half most of a robot's time teaches it nothing new; it is no fault,
/// because the official code works so.
pub const IDLE: Want = AtMost(0.5, 1.0);
/// R^2 of a state entry. At 0.8 the error is under half the state's spread; below a third, latents hold almost no
/// information about the state.
pub const LATENT_R2: Want = AtLeast(0.8, 0.33);
/// Variance explained by reconstructions. The mean picture explains 0. Small moving parts are learned after the large bright
/// and dark areas.
pub const EXPLAINED: Want = AtLeast(0.6, 0.2);
/// The same in the worst third of a mapped state's range. If reconstructions omit the moving part there, nothing is
/// explained; a rare picture without its moving part looks common, and skewing cannot favour it.
pub const EXPLAINED_ALL: Want = AtLeast(0.7, 0.1);
/// Fewest frames of a third that is judged.
pub const FEWEST_FRAMES: usize = 5;
/// Active dimensions. With 0, all pictures have the same latent.
pub const ACTIVE: Want = AtLeast(2.0, 1.0);
/// Rank correlation of log p(x) with visits. Positive: rare states have a low density; below -0.2 the order is reversed.
/// Values between are noise for two thousand frames in a few hundred cells.
pub const DENSITY: Want = AtLeast(0.2, -0.2);
/// ESS over N. At 0.95 weights differ by a fifth only: nearly uniform sampling.
pub const ESS: Want = AtMost(0.9, 0.95);
/// Lowest ESS over N in the later half of the skewed epochs. Below a thousandth, the VAE's next phase trains on very few
/// pictures.
pub const COLLAPSE: Want = AtLeast(0.01, 0.001);
/// Rank correlation of weight with visits: negative favours rare states.
pub const DIRECTION: Want = AtMost(0.0, 0.2);
/// Share of training goals that are not hindsight goals; the official code has 0.7. A tenth is too little to learn to reach
/// far goals; with a fifth, and steps as the reward, single runs of the corridor reached nearly every cell.
pub const OWN_GOALS: Want = AtLeast(0.2, 0.1);
/// The same share, estimated from the rewards. The estimate is rough: the encoder has changed since those rewards, and near
/// goals count as hindsight. Runs with 0.7 show 0.2 to 0.9; hindsight alone shows 0.
pub const OWN_REWARDS: Want = AtLeast(0.15, 0.08);
/// Visits of a goal's cell over visits of a stored frame's cell, geometric means. Above 1, goals are more common than replay.
/// Never a fault: goals of a hardly trained VAE can be anywhere.
pub const GOAL_VISITS: Want = AtMost(1.0, f64::INFINITY);
/// Final distance to the own goal over that to other goals; 1 = goals make no difference.
pub const PROGRESS: Want = AtMost(0.8, 0.97);
/// |Q - return| over the return of a constant reward. At 0.5 the critic's horizon is half of what gamma gives.
pub const BIAS: Want = AtMost(0.3, 1.0);
/// Share of a constant return that the target critics can have reached, 1 - exp(-n tau (1 - gamma)) after n updates: each
/// update moves them a share tau of the way to r + gamma Q. Below it, Q is lower than the returns however well it is fitted.
pub const TARGET_CONVERGENCE: Want = AtLeast(0.8, 0.0);
/// With fewer SAC updates, the agent's faults are only warnings: five times 1 / tau at the official 1e-3, less than a tenth
/// of a run on the door.
pub const FEW_UPDATES: u64 = 5000;
/// Rank correlation of Q with returns; at 0 the critics do not rank steps at all.
pub const RANK: Want = AtLeast(0.5, 0.0);
/// Distance of the entropy from its target, nats. The temperature settles within hundreds of updates.
pub const ENTROPY_GAP: Want = AtMost(1.0, f64::INFINITY);
/// Temperature: above 1, the entropy bonus outweighs rewards of about 1.
pub const TEMPERATURE: Want = AtMost(1.0, 100.0);
/// Share of action entries at their bound. At half, the policy often acts at full strength; at nine tenths, almost always.
pub const SATURATION: Want = AtMost(0.5, 0.9);

impl Want {
    /// Severity of a value; NaN is a fault.
    #[must_use]
    pub fn level(self, value: f64) -> Level {
        let (good, tolerable) = match self {
            AtLeast(want, fault) => (value >= want, value >= fault),
            AtMost(want, fault) => (value <= want, value <= fault),
        };
        match (good, tolerable) {
            (true, _) => Level::Ok,
            (_, true) => Level::Warn,
            _ => Level::Fault,
        }
    }

    /// The wanted value.
    #[must_use]
    pub fn threshold(self) -> f64 {
        let (AtLeast(want, _) | AtMost(want, _)) = self;
        want
    }
}

/// A number with at most three significant digits: `0.03`, `-12.3`, `7`, `4e-5`.
#[must_use]
pub fn three_digits(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v.fract() == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.005 => format!("{value:.2}"),
        _ => format!("{value:.0e}"),
    }
}

/// What a verdict says if its value is as wanted, and if it is not.
#[derive(Clone, Copy, Debug)]
pub struct Says<'a> {
    /// Statement if the value is as wanted.
    pub good: &'a str,
    /// Statement if it is not.
    pub bad: &'a str,
}

impl Verdict {
    /// Judges `value` by `want`; `what` names the value: `R²`.
    #[must_use]
    pub fn graded(name: &str, value: f64, want: Want, says: Says<'_>, what: &str) -> Self {
        let level = want.level(value);
        let sign = if matches!(want, AtLeast(..)) { ">=" } else { "<=" };
        let means = if level == Level::Ok { says.good } else { says.bad };
        let sentence =
            format!("{means}: {what} {} (want {sign} {})", three_digits(value), three_digits(want.threshold()));
        Self { name: name.into(), level, value: Some(value), threshold: Some(want.threshold()), sentence }
    }

    /// A verdict without a value.
    #[must_use]
    pub fn without_value(name: &str, level: Level, sentence: impl Into<String>) -> Self {
        Self { name: name.into(), level, value: None, threshold: None, sentence: sentence.into() }
    }

    /// ``FAULT the latents do not encode `angle`: R² 0.03 (want >= 0.80)``.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{:<5} {}", self.level.word(), self.sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_its_level_and_its_line() {
        let says = Says { good: "it sees", bad: "it does not see" };
        let verdict = |r2| Verdict::graded("sees_angle", r2, LATENT_R2, says, "R²");
        for (r2, level, line) in [
            (0.934, Level::Ok, "ok    it sees: R² 0.93 (want >= 0.80)"),
            (0.5, Level::Warn, "warn  it does not see: R² 0.50 (want >= 0.80)"),
            (-12.34, Level::Fault, "FAULT it does not see: R² -12.3 (want >= 0.80)"),
            (f64::NAN, Level::Fault, "FAULT it does not see: R² NaN (want >= 0.80)"),
        ] {
            assert_eq!((verdict(r2).level, verdict(r2).line().as_str()), (level, line));
        }
        assert_eq!(BIAS.level(f64::NAN), Level::Fault);
        assert_eq!([0.5, 7.0, f64::INFINITY].map(|v| GOAL_VISITS.level(v)), [Level::Ok, Level::Warn, Level::Warn]);
        assert_eq!([0.0, 1234.0, 0.000_04].map(three_digits), ["0", "1234", "4e-5"]);
    }
}
