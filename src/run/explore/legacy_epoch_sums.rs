//! Reads the epoch sums that commit 6a6cb58 wrote into a checkpoint.

use serde::Deserialize;

use super::epoch_sums::EpochSums;
use std::collections::BTreeMap;

/// Either form of the sums in a checkpoint's `state.json`.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum StoredSums {
    /// The current form.
    Current { means: BTreeMap<String, (f64, u64)>, values: BTreeMap<String, f64>, began_s: f64 },
    /// The old form: one field for each column.
    Legacy(Box<LegacySums>),
}

/// The sums as commit 6a6cb58 wrote them.
#[derive(Deserialize)]
pub(super) struct LegacySums {
    updates: u64,
    agent: [f64; 7],
    vae_updates: u64,
    vae: [f64; 3],
    active_dims: f64,
    goals: [f64; 3],
    skew: Option<LegacySkew>,
    #[serde(default)]
    mapped_states: Vec<(String, f64)>,
    evaluation: Vec<(String, f64)>,
    success_rate: Option<f64>,
    env_s: f64,
    sac_s: f64,
    vae_s: f64,
    refresh_s: f64,
    began_s: f64,
    #[serde(default)]
    safety_cpu_s: f64,
    #[serde(default)]
    safety_wait_s: f64,
}

#[derive(Deserialize)]
struct LegacySkew {
    alpha: f64,
    ess: f64,
    max_weight: f64,
}

impl From<StoredSums> for EpochSums {
    fn from(stored: StoredSums) -> Self {
        match stored {
            StoredSums::Current { means, values, began_s } => Self { means, values, began_s, began_cpu_s: 0.0 },
            StoredSums::Legacy(legacy) => (*legacy).into(),
        }
    }
}

impl From<LegacySums> for EpochSums {
    fn from(legacy: LegacySums) -> Self {
        let mut sums = Self::new(legacy.began_s);
        let agent = ["critic_loss", "actor_loss", "temperature", "entropy", "q_mean", "grad_norm"];
        let agent = agent.map(|name| format!("train/{name}")).into_iter().chain(["reward/mean".to_owned()]);
        let vae = ["vae/sse", "vae/kl", "vae/loss"].map(str::to_owned);
        let of_agent = agent.zip(legacy.agent).map(|(column, sum)| (column, sum, legacy.updates));
        let of_vae = vae.into_iter().zip(legacy.vae).map(|(column, sum)| (column, sum, legacy.vae_updates));
        let measured = of_agent.chain(of_vae).filter(|(.., n)| *n > 0);
        sums.means.extend(measured.map(|(column, sum, n)| (column, (sum, n))));
        let mut set = |column: &str, value: f64| sums.set(column, value);
        if legacy.vae_updates > 0 {
            set("vae/active_dims", legacy.active_dims);
        }
        for (origin, count) in ["prior", "replay", "skewed"].iter().zip(legacy.goals) {
            set(&format!("goals/from_{origin}"), count);
        }
        if let Some(skew) = legacy.skew {
            set("skew/alpha", skew.alpha);
            set("skew/ess", skew.ess);
            set("skew/max_weight", skew.max_weight);
        }
        legacy.mapped_states.iter().for_each(|(column, mean)| set(column, *mean));
        legacy.evaluation.iter().for_each(|(metric, mean)| set(&format!("eval/final_{metric}"), *mean));
        legacy.success_rate.iter().for_each(|rate| set("eval/success_rate", *rate));
        for (name, seconds) in [
            ("env_s", legacy.env_s),
            ("sac_s", legacy.sac_s),
            ("vae_s", legacy.vae_s),
            ("refresh_s", legacy.refresh_s),
            ("safety_cpu_s", legacy.safety_cpu_s),
            ("safety_wait_s", legacy.safety_wait_s),
        ] {
            set(&format!("time/{name}"), seconds);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legacy_sums_become_the_same_row() {
        let legacy = r#"{"updates":2,"agent":[2.0,4.0,1.0,6.0,8.0,3.0,-1.0],"vae_updates":4,"vae":[8.0,4.0,2.0],
            "active_dims":3.0,"goals":[0,1,2],"skew":{"alpha":-0.5,"ess":0.25,"max_weight":0.125},
            "mapped_states":[["replay/mean_x",0.5]],"evaluation":[["distance",0.75]],"success_rate":0.5,
            "env_s":1.0,"sac_s":2.0,"vae_s":3.0,"refresh_s":4.0,"began_s":5.0,"safety_cpu_s":0.5,"safety_wait_s":0.25}"#;
        let sums: EpochSums = serde_json::from_str(legacy).unwrap();
        let row = sums.row();
        for (column, value) in [
            ("train/critic_loss", 1.0),
            ("train/grad_norm", 1.5),
            ("reward/mean", -0.5),
            ("vae/sse", 2.0),
            ("vae/active_dims", 3.0),
            ("goals/from_prior", 0.0),
            ("goals/from_skewed", 2.0),
            ("skew/max_weight", 0.125),
            ("replay/mean_x", 0.5),
            ("eval/final_distance", 0.75),
            ("eval/success_rate", 0.5),
            ("time/refresh_s", 4.0),
            ("time/safety_wait_s", 0.25),
        ] {
            assert_eq!(row.get(column), Some(&value), "{column}");
        }
        assert_eq!((row.len(), sums.accounted_s(), sums.began_s), (27, 10.0, 5.0));
        let again: EpochSums = serde_json::from_str(&serde_json::to_string(&sums).unwrap()).unwrap();
        assert_eq!(again, sums, "the current form reads back");
    }
}
