//! Every key of the configuration: its default, what is allowed, its meaning, what depends on it. Reading, refusing,
//! identities and `docs/CONFIG.md` all follow this one table.

use skewfit_envs::scenes;
use toml::Value;

use crate::learn::density;
use crate::learn::goals::{REWARD_NAMES, SOURCE_NAMES};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct ConfigKey {
    /// Dotted name, e.g. `latent.dim`.
    pub name: &'static str,
    /// The door's value, as TOML; empty where it follows from other keys.
    pub default: &'static str,
    /// What is accepted.
    pub allowed: Allowed,
    /// One sentence, with the unit.
    pub meaning: &'static str,
    /// Whether what a run learns or measures depends on it; [`Config::identity`](super::Config::identity) is of these keys.
    pub learned: bool,
    /// Of a key that was added after the first release: the value, as TOML, that programs before it acted by. A run's own
    /// file that lacks the key means this value. It is given once, with the key, and never changed.
    pub since: Option<&'static str>,
}

impl ConfigKey {
    /// A key that only says how far a run goes and how it is kept.
    const fn not_learned(self) -> Self {
        Self { learned: false, ..self }
    }

    /// A key without which programs acted by `value`.
    #[must_use]
    pub const fn since(self, value: &'static str) -> Self {
        Self { since: Some(value), ..self }
    }
}

/// What a key accepts; bounds are inclusive.
#[derive(Clone, Copy, Debug)]
pub enum Allowed {
    /// A whole number.
    Whole(i64, i64),
    /// A finite number.
    Number(f64, f64),
    /// `true` or `false`.
    Flag,
    /// One of these words; the second list is planned and refused until it ships.
    Word(&'static [&'static str], &'static [&'static str]),
    /// A name fit for a directory.
    Name,
    /// One of these whole numbers.
    Size(&'static [i64]),
    /// Between `.0` and `.1` whole numbers, each from `.2` to `.3`.
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
    ConfigKey { name, default, allowed, meaning, learned: true, since: None }
}

const MANY: i64 = 1_000_000_000;

/// The table, in the order of the resolved file.
#[rustfmt::skip]
pub const KEYS: &[ConfigKey] = &[
    key("name", "\"door\"", Name, "Name of the experiment; a run lies in `results/<name>/`.").not_learned(),
    key("seed", "0", Whole(0, i64::MAX), "Seed of every random stream.").not_learned(),
    key("env.scene", "\"door\"", Word(scenes::NAMES, &["pusher", "pickup", "four-rooms", "arm"]), "What is explored."),
    key("env.walls", "\"none\"", Word(&["none", "u", "-", "h", "--", "---", "big-h", "big-u", "easy-u", "box"], &[]), "`point2d` alone: shape of its walls."),
    key("env.image_size", "48", Size(&[24, 48, 84, 96]), "Side of the square picture, pixels."),
    key("env.samples", "4", Size(&[1, 4]), "Samples a pixel of the renderer."),
    key("env.episode_steps", "100", Whole(1, 10_000), "Environment steps an episode."),
    key("run.steps", "30000", Whole(1, MANY), "Exploration steps in all, warm-up included; rounded up to a whole epoch.").not_learned(),
    key("run.warmup_steps", "10000", Whole(0, MANY), "Steps before epoch 0, with the untrained stochastic policy and prior goals; whole episodes."),
    key("run.epoch_steps", "500", Whole(1, 1_000_000), "Exploration steps an epoch; whole episodes."),
    key("run.updates_per_epoch", "1000", Whole(0, 1_000_000), "SAC gradient steps an epoch."),
    key("run.schedule", "\"lockstep\"", Word(&["lockstep"], &["overlapped"]), "Exploring and learning take turns; `overlapped` is for hardware."),
    key("run.threads", "0", Whole(0, 1024), "Threads; 0 = all cores. Part of what makes a run repeatable.").not_learned(),
    key("run.checkpoint_every_epochs", "5", Whole(1, 1_000_000), "Epochs between checkpoints.").not_learned(),
    key("run.keep_checkpoints", "3", Whole(1, 1000), "Newest checkpoints kept.").not_learned(),
    key("run.keep_every_hours", "6.0", Number(0.0, 10_000.0), "Of every so many hours of the run the first checkpoint is kept as well; 0 = none.").not_learned(),
    key("latent.dim", "16", Whole(1, 256), "Latent dimensions, Z."),
    key("latent.channels", "", Wholes(2, 4, 1, 256), "Channels of the encoder's convolutions, as many as the picture needs: 24 px 2, 48 px 3, 84 px 3, 96 px 4."),
    key("latent.beta", "0.078125", Number(0.0, 1000.0), "Weight of KL against half the squared error, per image. The official beta 20 with batch 128 and summed loss is 20 / (2 * 128)."),
    key("latent.batch", "128", Whole(1, 4096), "Images a VAE minibatch."),
    key("latent.learning_rate", "0.001", Number(1e-8, 1.0), "Adam's step."),
    key("latent.phases", "[{ before_epoch = 10, every = 1, updates = 1000 }, { before_epoch = 300, every = 1, updates = 200 }, { every = 3, updates = 200 }]", Phases, "VAE minibatches after an epoch: the first entry with the epoch below `before_epoch` holds; it runs `updates` when the epoch is a multiple of `every`."),
    key("density.estimator", "\"iwae\"", Word(&density::NAMES, &[]), "log p(x) from N latents: log-mean-exp, their mean (the official image code), or self-normalised weights (the official toy)."),
    key("density.latents", "10", Whole(1, 1000), "Latents an image, N."),
    key("density.decoder_variance", "2.718281828", Number(1e-6, 1e6), "Variance of the decoder's Gaussian, squared pixels in [0, 1]; e is official."),
    key("skew.power", "-0.5", Number(-1.0, 0.0), "Skew-Fit's alpha: weights p(x)^alpha; 0 = no skewing (RIG)."),
    key("skew.min_ess", "0.0", Number(0.0, 1.0), "Fraction of the replay: above 0, the power is tempered until the effective sample size reaches it."),
    key("skew.start_epoch", "10", Whole(0, MANY), "Skewing acts from the refresh after epoch `start_epoch` + 1 on."),
    key("goals.source", "\"replay\"", Word(&SOURCE_NAMES, &["oracle", "discern-g", "min-density"]), "Exploration and relabelling goals: stored pictures (skewed when skewing), or z ~ N(0, I)."),
    key("goals.relabel_keep", "0.2", Number(0.0, 1.0), "Fraction of a batch that keeps the rollout's goal."),
    key("goals.relabel_source", "0.5", Number(0.0, 1.0), "Fraction that gets a goal from `goals.source`; the rest gets the future of its episode."),
    key("goals.keep_goal_picture", "\"decoded\"", Word(&["decoded", "real"], &[]), "Picture stored for a rollout's goal: its decoding (official) or the real one."),
    key("goals.reward", "\"latent-distance\"", Word(&REWARD_NAMES, &[]), "What practice is rewarded with: minus the distance in latent space.").since("\"latent-distance\""),
    key("agent.hidden", "[400, 300]", Wholes(1, 8, 1, 4096), "Units of the hidden layers, first to last."),
    key("agent.layer_norm", "false", Flag, "Layer normalisation before each ReLU of the critics (DroQ, arXiv 2110.02034); the policy has none.").since("false"),
    key("agent.critics", "2", Whole(2, 64), "Critics. 2: target and policy take the minimum; more: the target takes that of a random pair, the policy the mean of all (REDQ, arXiv 2101.05982).").since("2"),
    key("agent.batch", "1024", Whole(1, 65_536), "Transitions a SAC batch."),
    key("agent.learning_rate", "0.001", Number(1e-8, 1.0), "Adam's step, of policy, critics and temperature."),
    key("agent.discount", "0.99", Number(0.0, 1.0), "Discount a step, gamma."),
    key("agent.tau", "0.005", Number(1e-8, 1.0), "Polyak rate of the target critics, every update."),
    key("agent.reward_scale", "1.0", Number(1e-6, 1e6), "Reward = -scale * latent distance."),
    key("agent.target_entropy", "\"auto\"", AutoOr(-1000.0, 1000.0), "Entropy the temperature aims at, nats; `auto` = -(action dimensions)."),
    key("agent.entropy_in_target", "true", Flag, "Entropy term in the Bellman target; `false` is the first official version."),
    key("agent.update_order", "\"actor-first\"", Word(&["actor-first", "critic-first"], &[]), "Which network is updated first; `critic-first` is the first official version."),
    key("agent.hidden_bias", "0.0", Number(-10.0, 10.0), "Initial bias of hidden layers; 0.1 is the first official version."),
    key("agent.copy_targets_at_start", "false", Flag, "Target critics start as copies; officially they are drawn independently."),
    key("replay.capacity", "100000", Whole(1, 2_000_000), "Transitions kept."),
    key("evaluate.pictures", "50", Whole(1, 1000), "Evaluation pictures in all."),
    key("evaluate.every_epochs", "1", Whole(1, 1_000_000), "Epochs between evaluations."),
    key("evaluate.pictures_each_time", "10", Whole(1, 1000), "Pictures an evaluation, rotating through the set; the final one takes all."),
    key("evaluate.shared_env", "false", Flag, "Evaluate in the exploration's own environment (official) instead of one of its own."),
    key("evaluate.folder", "\"\"", Folder, "Folder of pictures to try in place of the scene's own: the first `evaluate.pictures` by name, copied into the run. Empty: the scene's own.").since("\"\""),
    key("coverage.window_steps", "10000", Whole(2, 10_000_000), "Last exploration steps whose entropy is measured."),
    key("night.min_free_mb", "1000", Whole(0, 1_000_000_000), "Megabytes that must stay free on the disk; with less the run stands still until there is room.").not_learned(),
    key("night.ballast_mb", "64", Whole(0, 1_000_000), "Megabytes set aside in the run directory while it runs, given back when the disk is full.").not_learned(),
    key("night.poll_s", "30.0", Number(0.01, 86_400.0), "Seconds between two looks while it stands still.").not_learned(),
    key("night.log_mb", "20.0", Number(0.001, 10_000.0), "Megabytes of `run.log` before a new one is begun; four former ones are kept.").not_learned(),
];

impl Allowed {
    /// In words, to follow "must be": `a whole number from 1 to 256`.
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
            Phases => "1 to 32 tables { before_epoch, every, updates }, whole numbers, every >= 1, before_epoch \
                       rising and left out in the last alone"
                .into(),
        }
    }

    /// Whether `value` is of the kind and in the range.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        let whole = |v: &Value, low: i64, high: i64| v.as_integer().is_some_and(|n| (low..=high).contains(&n));
        let number = |low: f64, high: f64| {
            value.as_float().or(value.as_integer().map(|n| n as f64)).is_some_and(|x| low <= x && x <= high)
        };
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
                && phase.len() == 2 + usize::from(before.is_some())
        })
}
