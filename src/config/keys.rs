//! Every key of the configuration: its default, the values allowed, its meaning, and whether learning depends on it.
//! Parsing, error messages, identities and `docs/CONFIG.md` all use this one table.

use skewfit_envs::scenes;
use toml::Value;

use crate::learn::density;
use crate::learn::goals::{REWARD_NAMES, SOURCE_NAMES};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ConfigKey {
    /// Dotted name, e.g. `latent.dim`.
    pub name: &'static str,
    /// The value for the door, as TOML; empty where it follows from other keys.
    pub default: &'static str,
    /// The values allowed.
    pub allowed: Allowed,
    /// One sentence, with the unit.
    pub meaning: &'static str,
    /// Whether what a run learns or measures depends on it. [`Config::identity`](super::Config::identity) is a hash of
    /// these keys.
    pub in_identity: bool,
    /// For a key added after the first release: the value, as TOML, that earlier programs used. A run's own file
    /// without the key has this value. It is set when the key is added and never changed.
    pub value_before: Option<&'static str>,
}

impl ConfigKey {
    /// Leaves a key out of the experiment's identity: name, seed, threads, the run's length, how its files are kept.
    const fn outside_identity(self) -> Self {
        Self { in_identity: false, ..self }
    }

    /// Marks a key added later; programs without it used `value`.
    #[must_use]
    pub const fn value_before(self, value: &'static str) -> Self {
        Self { value_before: Some(value), ..self }
    }
}

/// The values that a key allows; bounds are inclusive.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// A whole number.
    Whole(i64, i64),
    /// A finite number.
    Number(f64, f64),
    /// `true` or `false`.
    Flag,
    /// One of the words in the first list. Those in the second are planned, and refused until they are implemented.
    Word(&'static [&'static str], &'static [&'static str]),
    /// A name that can be a directory's.
    Name,
    /// One of these whole numbers.
    Size(&'static [i64]),
    /// A list of `.0` to `.1` whole numbers, each from `.2` to `.3`.
    Wholes(usize, usize, i64, i64),
    /// `"auto"` or a finite number.
    AutoOr(f64, f64),
    /// The VAE's schedule.
    Phases,
    /// A folder's path; may be empty.
    Folder,
}

use Allowed::{AutoOr, Flag, Folder, Name, Number, Phases, Size, Whole, Wholes, Word};

const fn key(name: &'static str, default: &'static str, allowed: Allowed, meaning: &'static str) -> ConfigKey {
    ConfigKey { name, default, allowed, meaning, in_identity: true, value_before: None }
}

/// Smallest and largest beta.
const BETA: (f64, f64) = (0.0, 1000.0);
const MANY: i64 = 1_000_000_000;

/// The table, in the order of the resolved file.
#[rustfmt::skip]
pub const KEYS: &[ConfigKey] = &[
    key("name", "\"door\"", Name, "Name of the experiment; its runs are in `results/<name>/`.").outside_identity(),
    key("seed", "0", Whole(0, i64::MAX), "Seed of every random stream.").outside_identity(),
    key("env.scene", "\"door\"", Word(scenes::NAMES, &["pusher", "pickup", "four-rooms", "arm"]), "The environment to explore."),
    key("env.walls", "\"none\"", Word(&["none", "u", "-", "h", "--", "---", "big-h", "big-u", "easy-u", "box"], &[]), "Shape of the walls; for `point2d` only."),
    key("env.image_size", "48", Size(&[24, 48, 84, 96]), "Width and height of a picture, pixels."),
    key("env.samples", "4", Size(&[1, 4]), "Samples per pixel of the renderer."),
    key("env.episode_steps", "100", Whole(1, 10_000), "Environment steps per episode."),
    key("run.steps", "30000", Whole(1, MANY), "Exploration steps of the run, warm-up included; rounded up to a whole epoch.").outside_identity(),
    key("run.warmup_steps", "10000", Whole(0, MANY), "Steps before epoch 0, with the untrained stochastic policy and goals from the prior; a multiple of `env.episode_steps`."),
    key("run.warmup", "\"policy\"", Word(&["policy", "wander"], &[]), "How the robot moves until the VAE is first fitted. `policy`: by the untrained stochastic policy, with goals from the prior in the warm-up (official); `wander`: by persistent random actions.").value_before("\"policy\""),
    key("run.epoch_steps", "500", Whole(1, 1_000_000), "Exploration steps per epoch; a multiple of `env.episode_steps`."),
    key("run.updates_per_epoch", "1000", Whole(0, 1_000_000), "SAC gradient steps per epoch."),
    key("run.schedule", "\"lockstep\"", Word(&["lockstep"], &["overlapped"]), "`lockstep`: exploring and learning take turns. `overlapped` is planned, for hardware."),
    key("run.threads", "0", Whole(0, 1024), "Threads; 0 = all cores. The limit on a machine is 8, or twice the cores that the process may use if that is more; `resume` keeps the run's number. With another number, sums are rounded differently, so an exact repeat needs the same number.").outside_identity(),
    key("run.checkpoint_every_epochs", "5", Whole(1, 1_000_000), "Epochs between checkpoints.").outside_identity(),
    key("run.keep_checkpoints", "3", Whole(1, 1000), "Number of newest checkpoints to keep.").outside_identity(),
    key("run.keep_every_hours", "6.0", Number(0.0, 10_000.0), "Also keep the first checkpoint in each period of this many hours of the run; 0 = off.").outside_identity(),
    key("latent.dim", "16", Whole(1, 256), "Dimensions of the latent space, Z."),
    key("latent.channels", "", Wholes(2, 4, 1, 256), "Channels of the encoder's convolutions, one entry each: 2 at 24 px, 3 at 48 and 84 px, 4 at 96 px."),
    key("latent.beta", "0.078125", Number(BETA.0, BETA.1), "Weight of the KL term against half the squared error, per image. It equals the official code's beta 20 with batch 128 and a summed loss: 20 / (2 * 128)."),
    key("latent.batch", "128", Whole(1, 4096), "Images per VAE minibatch."),
    key("latent.learning_rate", "0.001", Number(1e-8, 1.0), "Adam's learning rate."),
    key("latent.init", "\"small\"", Word(&["small", "fan-in"], &[]), "Initial values of the VAE's linear layers. `small`: uniform within 1e-3 (official); `fan-in`: uniform within 1/sqrt(inputs), so that a small object is seen after fewer updates.").value_before("\"small\""),
    key("latent.phases", "[{ before_epoch = 10, every = 1, updates = 1000 }, { before_epoch = 300, every = 1, updates = 200 }, { every = 3, updates = 200 }]", Phases, "VAE minibatches after an epoch. The first entry whose `before_epoch` is above the epoch applies: `updates` minibatches if the epoch is a multiple of `every`, else none; `beta` replaces `latent.beta` in its epochs."),
    key("density.estimator", "\"iwae\"", Word(&density::NAMES, &[]), "How log p(x) is estimated. From N latents, each with a log importance weight: `iwae`: log-mean-exp of the weights; `elbo`: their mean (official code for images); `self-normalised`: p(x given z) averaged with normalised weights prior / posterior (official toy code). From the posterior means of up to 4,096 stored frames: `latent-knn`: -Z log of the distance to the k-th nearest; `latent-kde`: Gaussian kernels. `reconstruction`: minus the squared error of the decoded mean. `rank-mix`: mean of the normal scores of the ranks by `reconstruction` and by `latent-knn`."),
    key("density.latents", "10", Whole(1, 1000), "Latents per image, N."),
    key("density.decoder_variance", "2.718281828", Number(1e-6, 1e6), "Variance of the decoder's Gaussian, for pixel values in [0, 1]; the official code has e."),
    key("density.neighbours", "10", Whole(1, 1000), "k of `latent-knn` and `rank-mix`.").value_before("10"),
    key("skew.power", "-0.5", Number(-1.0, 0.0), "Skew-Fit's power (alpha in the paper): a picture's weight is p(x)^power; 0 = no skewing (RIG)."),
    key("skew.min_ess", "0.0", Number(0.0, 1.0), "Smallest effective sample size, as a fraction of the replay buffer: the power is moved towards 0 until it is reached; 0 = off."),
    key("skew.target_ess", "0.0", Number(0.0, 1.0), "Effective sample size, as a fraction of the replay buffer, for which the power is set, between -30 and 0; 0 = off. Above 0 it replaces the value of `skew.power`, except that `skew.power = 0` still means no skewing; not together with `skew.min_ess`.").value_before("0.0"),
    key("skew.start_epoch", "10", Whole(0, MANY), "A refresh skews if its epoch, counted from 0, is above `start_epoch`; goals are skewed from the next epoch on."),
    key("goals.source", "\"replay\"", Word(&SOURCE_NAMES, &["oracle", "discern-g", "min-density"]), "Source of goals for exploration and relabelling. `replay`: stored pictures, with skewed weights once skewing has begun; `prior`: z ~ N(0, I)."),
    key("goals.relabel_keep", "0.2", Number(0.0, 1.0), "Fraction of a batch that keeps the rollout's goal."),
    key("goals.relabel_source", "0.5", Number(0.0, 1.0), "Fraction of a batch that gets a goal from `goals.source`; the rest gets a later state of its episode."),
    key("goals.keep_goal_picture", "\"decoded\"", Word(&["decoded", "real"], &[]), "Picture stored as a rollout's goal. `decoded`: the decoder's output (official); `real`: the stored picture."),
    key("goals.reward", "\"latent-distance\"", Word(&REWARD_NAMES, &[]), "Reward of a transition. `latent-distance`: minus the latent distance to the goal (official); `steps`: -1 until the goal is reached, 0 there.").value_before("\"latent-distance\""),
    key("goals.after_reaching", "\"stay\"", Word(&["stay", "next", "wander"], &[]), "What the explorer does when its goal is reached. `stay`: it keeps the goal until the episode ends (official); `next`: it draws the next goal; `wander`: it moves at random, then draws the next goal.").value_before("\"stay\""),
    key("goals.wander_steps", "10", Whole(0, 10_000), "Steps of persistent random actions after a reached goal, with `goals.after_reaching = \"wander\"`.").value_before("10"),
    key("goals.radius", "1.0", Number(0.0, 1000.0), "A goal is reached within this many median latent distances of one step of the stored episodes.").value_before("1.0"),
    key("agent.hidden", "[400, 300]", Wholes(1, 8, 1, 4096), "Units of the hidden layers, first to last."),
    key("agent.layer_norm", "false", Flag, "Layer normalisation before each ReLU of the critics, not of the policy (DroQ, arXiv 2110.02034).").value_before("false"),
    key("agent.critics", "2", Whole(2, 64), "Number of critics. With 2, target and policy use their minimum; with more, the target uses the minimum of a random pair and the policy the mean of all (REDQ, arXiv 2101.05982).").value_before("2"),
    key("agent.batch", "1024", Whole(1, 65_536), "Transitions per SAC batch."),
    key("agent.learning_rate", "0.001", Number(1e-8, 1.0), "Adam's learning rate for policy, critics and temperature."),
    key("agent.discount", "0.99", Number(0.0, 1.0), "Discount factor, gamma."),
    key("agent.tau", "0.005", Number(1e-8, 1.0), "Polyak rate of the target critics, applied at every update."),
    key("agent.reward_scale", "1.0", Number(1e-6, 1e6), "Multiplies the reward."),
    key("agent.target_entropy", "\"auto\"", AutoOr(-1000.0, 1000.0), "Target entropy of the policy, nats, for tuning the temperature; `auto` = -(action dimensions)."),
    key("agent.entropy_in_target", "true", Flag, "Whether the Bellman target has the entropy term; `false` in the first official version."),
    key("agent.update_order", "\"actor-first\"", Word(&["actor-first", "critic-first"], &[]), "`actor-first`: all gradients are taken before any parameter changes. `critic-first` (the first official version): temperature, then critics, then the policy with the new critics."),
    key("agent.hidden_bias", "0.0", Number(-10.0, 10.0), "Initial bias of the hidden layers; 0.1 in the first official version."),
    key("agent.copy_targets_at_start", "false", Flag, "Whether the target critics start as copies of the critics; in the official code they are drawn independently."),
    key("replay.capacity", "100000", Whole(1, 2_000_000), "Capacity of the replay buffer, transitions."),
    key("evaluate.pictures", "50", Whole(1, 1000), "Number of evaluation pictures."),
    key("evaluate.every_epochs", "1", Whole(1, 1_000_000), "Epochs between evaluations."),
    key("evaluate.pictures_each_time", "10", Whole(1, 1000), "Pictures per evaluation, taken in turn from the set; the final evaluation uses all."),
    key("evaluate.shared_env", "false", Flag, "Whether to evaluate in the environment that explores (official code) instead of a second one."),
    key("evaluate.folder", "\"\"", Folder, "Folder of goal pictures for evaluation: the first `evaluate.pictures` by name, copied into the run. Empty: the scene's own pictures.").value_before("\"\""),
    key("coverage.window_steps", "10000", Whole(2, 10_000_000), "Number of most recent exploration steps whose state entropy is measured."),
    key("night.min_free_mb", "1000", Whole(0, 1_000_000_000), "Megabytes that must stay free on the disk; with less, the run pauses until there is room.").outside_identity(),
    key("night.ballast_mb", "64", Whole(0, 1_000_000), "Megabytes reserved in the run directory during the run, freed when the disk is full.").outside_identity(),
    key("night.poll_s", "30.0", Number(0.01, 86_400.0), "Seconds between two checks while the run is paused.").outside_identity(),
    key("night.log_mb", "20.0", Number(0.001, 10_000.0), "Size at which `run.log` is rotated, megabytes; the four previous logs are kept.").outside_identity(),
];

impl Allowed {
    /// In words, as they follow "must be": `a whole number from 1 to 256`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Whole(low, high) => format!("a whole number from {low} to {high}"),
            Number(low, high) if *low > 0.0 => format!("a number from {low:e} to {high}"),
            Number(low, high) => format!("a number from {low} to {high}"),
            Flag => "true or false".into(),
            Word([word], _) => (*word).into(),
            Word(words, _) => format!("one of {}", words.join(", ")),
            Folder => "the path of a folder, or empty".into(),
            Name => "1 to 64 letters, digits, `-`, `_` or `.`, the first a letter or digit".into(),
            Size(sizes) => format!("one of {}", sizes.iter().map(i64::to_string).collect::<Vec<_>>().join(", ")),
            Wholes(few, many, low, high) if few == many => format!("{few} whole numbers from {low} to {high}"),
            Wholes(few, many, low, high) => format!("{few} to {many} whole numbers from {low} to {high}"),
            AutoOr(low, high) => format!("\"auto\" or a number from {low} to {high}"),
            Phases => format!(
                "1 to 32 tables {{ before_epoch, every, updates, beta }}, whole numbers but for beta, every >= 1, \
                 before_epoch increasing and absent in the last table only, beta from {} to {} or absent",
                BETA.0, BETA.1
            ),
        }
    }

    /// Whether values consist of whole numbers.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Whole(..) | Size(_) | Wholes(..) | Phases)
    }

    /// Whether values are text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Name | Word(..) | Folder)
    }

    /// Whether `value` has the right type and is in the range.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        let whole = |v: &Value, low: i64, high: i64| v.as_integer().is_some_and(|n| (low..=high).contains(&n));
        let number = |low: f64, high: f64| is_number(value, low, high);
        match self {
            Whole(low, high) => whole(value, *low, *high),
            Number(low, high) => number(*low, *high),
            Flag => value.is_bool(),
            Word(words, _) => value.as_str().is_some_and(|w| words.contains(&w)),
            Folder => value.is_str(),
            Name => value.as_str().is_some_and(is_name),
            Size(sizes) => value.as_integer().is_some_and(|n| sizes.contains(&n)),
            Wholes(few, many, low, high) => value
                .as_array()
                .is_some_and(|l| (*few..=*many).contains(&l.len()) && l.iter().all(|v| whole(v, *low, *high))),
            AutoOr(low, high) => value.as_str() == Some("auto") || number(*low, *high),
            Phases => value.as_array().is_some_and(|l| are_phases(l)),
        }
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn is_number(value: &Value, low: f64, high: f64) -> bool {
    value.as_float().or(value.as_integer().map(|n| n as f64)).is_some_and(|x| low <= x && x <= high)
}

fn are_phases(list: &[Value]) -> bool {
    let mut last = Some(0);
    !list.is_empty()
        && list.len() <= 32
        && list.iter().all(|phase| {
            let Some(phase) = phase.as_table() else { return false };
            let whole = |name: &str| phase.get(name).and_then(Value::as_integer);
            let before = whole("before_epoch");
            let rises = last.is_some_and(|l| before.is_none_or(|b| b > l));
            last = before;
            rises
                && before.is_some() == phase.contains_key("before_epoch")
                && whole("every").is_some_and(|n| (1..=MANY).contains(&n))
                && whole("updates").is_some_and(|n| (0..=1_000_000).contains(&n))
                && phase.get("beta").is_none_or(|beta| is_number(beta, BETA.0, BETA.1))
                && phase.keys().all(|name| ["before_epoch", "every", "updates", "beta"].contains(&name.as_str()))
        })
}
