//! A verdict a line: what was asked, the figure, what it should be. The thresholds stand here, each with its reason.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Level {
    /// As it should be, or not to be told yet.
    #[serde(rename = "ok")]
    Ok,
    /// Worth a look.
    #[serde(rename = "warn")]
    Warn,
    /// Nothing good comes of it.
    #[serde(rename = "FAULT")]
    Fault,
}

impl Level {
    /// `ok`, `warn`, `FAULT`.
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
    /// How bad.
    pub level: Level,
    /// The figure; `None` where nothing could be measured.
    pub value: Option<f64>,
    /// What the figure should reach or stay below.
    pub threshold: Option<f64>,
    /// For people, with figure and threshold.
    pub sentence: String,
}

/// What a figure should be, and from where on it is a fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Want {
    /// (wanted, fault below).
    AtLeast(f64, f64),
    /// (wanted, fault above).
    AtMost(f64, f64),
}

use Want::{AtLeast, AtMost};

/// R^2 of a state entry. What explains four fifths leaves an error of under half its spread; below a third, latents say
/// next to nothing of it.
pub const SEES: Want = AtLeast(0.8, 0.33);
/// Share of the pictures' variance that reconstructions explain. The mean picture explains 0; the moving parts, which
/// are small, come after the light and dark that are easy.
pub const EXPLAINED: Want = AtLeast(0.6, 0.2);
/// The same in the worst third of a mapped state's range. A moving part that is left out of its picture explains
/// nothing, and a rare picture without its moving part passes for a common one: skewing cannot favour it.
pub const EXPLAINED_ALL: Want = AtLeast(0.7, 0.1);
/// Frames that a third must have to be judged.
pub const FEWEST_FRAMES: usize = 5;
/// Dimensions that tell pictures apart. With none, all pictures are one latent.
pub const ACTIVE: Want = AtLeast(2.0, 1.0);
/// Rank correlation of log p(x) with visits. Positive: rare states are rare pictures; below -0.2 the order is turned
/// round, and what lies between is noise on two thousand frames of a few hundred cells.
pub const DENSITY: Want = AtLeast(0.2, -0.2);
/// ESS over N. At 0.95 weights differ by a fifth: replay as it is.
pub const ESS: Want = AtMost(0.9, 0.95);
/// Lowest ESS over N in the later half of the skewing. Below a thousandth the VAE's next phase sees a handful of pictures.
pub const COLLAPSE: Want = AtLeast(0.01, 0.001);
/// Rank correlation of weight with visits: negative favours the rare.
pub const DIRECTION: Want = AtMost(0.0, 0.2);
/// Share of practised goals that are no hindsight; 0.7 is official. A tenth is too little to learn far goals from.
pub const OWN_GOALS: Want = AtLeast(0.3, 0.1);
/// The same share as seen in the rewards: rough, since the encoder has moved on from the one that gave them, and goals
/// near at hand count as hindsight. Runs with 0.7 show 0.2 to 0.9, hindsight alone shows 0.
pub const OWN_REWARDS: Want = AtLeast(0.15, 0.08);
/// Visits of a goal's cell over those of a stored frame's, geometric means: above 1 goals are commoner than replay.
/// Never a fault: early goals of a young VAE are anywhere.
pub const GOAL_VISITS: Want = AtMost(1.0, f64::INFINITY);
/// End's distance to the own goal over that to others': 1 = goals make no difference.
pub const PROGRESS: Want = AtMost(0.8, 0.97);
/// |Q - return| over what a step's reward adds up to for ever. A half is a critic that sees half as far as gamma.
pub const BIAS: Want = AtMost(0.3, 1.0);
/// Share of a steady return that the slow target critics can hold by now, 1 - exp(-n tau (1 - gamma)) after n updates:
/// each moves a share tau of the way to r + gamma Q. Below, Q is short of the returns however well it is fitted.
pub const FOLLOWED: Want = AtLeast(0.8, 0.0);
/// SAC updates below which no fault is found with what the agent does: five times 1 / tau at the official 1e-3, fewer
/// than a tenth of a door's run.
pub const YOUNG: u64 = 5000;
/// Rank correlation of Q with returns; at 0 the critics cannot tell a good step from a bad one.
pub const RANK: Want = AtLeast(0.5, 0.0);
/// Nats from the entropy aimed at. The temperature settles within hundreds of updates.
pub const ENTROPY_GAP: Want = AtMost(1.0, f64::INFINITY);
/// Temperature: above, chance outweighs rewards of the order of 1.
pub const TEMPERATURE: Want = AtMost(1.0, 100.0);
/// Share of actions at their bound. Half is a policy that hits full throttle; nearly all is one that has no other.
pub const SATURATION: Want = AtMost(0.5, 0.9);

impl Want {
    /// What a figure means; NaN is a fault.
    #[must_use]
    pub fn level(self, value: f64) -> Level {
        let (good, bearable) = match self {
            AtLeast(want, fault) => (value >= want, value >= fault),
            AtMost(want, fault) => (value <= want, value <= fault),
        };
        match (good, bearable) {
            (true, _) => Level::Ok,
            (_, true) => Level::Warn,
            _ => Level::Fault,
        }
    }

    /// The figure that is wanted.
    #[must_use]
    pub fn threshold(self) -> f64 {
        let (AtLeast(want, _) | AtMost(want, _)) = self;
        want
    }
}

/// Three significant digits at most: `0.03`, `-12.3`, `7`, `4e-5`.
#[must_use]
pub fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 || v.fract() == 0.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.005 => format!("{value:.2}"),
        _ => format!("{value:.0e}"),
    }
}

impl Verdict {
    /// By a figure; `good` or `bad` says what it means, `what` names it: `R²`.
    #[must_use]
    pub fn graded(name: &str, value: f64, want: Want, (good, bad): (&str, &str), what: &str) -> Self {
        let level = want.level(value);
        let sign = if matches!(want, AtLeast(..)) { ">=" } else { "<=" };
        let means = if level == Level::Ok { good } else { bad };
        let sentence = format!("{means}: {what} {} (want {sign} {})", figure(value), figure(want.threshold()));
        Self { name: name.into(), level, value: Some(value), threshold: Some(want.threshold()), sentence }
    }

    /// Without a figure.
    #[must_use]
    pub fn told(name: &str, level: Level, sentence: impl Into<String>) -> Self {
        Self { name: name.into(), level, value: None, threshold: None, sentence: sentence.into() }
    }

    /// `FAULT the encoder does not see `angle`: R² 0.03 (want >= 0.8)`.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{:<5} {}", self.level.word(), self.sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_its_level_and_its_line() {
        let verdict = |r2| Verdict::graded("sees_angle", r2, SEES, ("it sees", "it does not see"), "R²");
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
        assert_eq!([0.0, 1234.0, 0.000_04].map(figure), ["0", "1234", "4e-5"]);
    }
}
