//! A synthetic run: rows, pictures and states computed by formulas.

use std::{fs, path::Path};

use skewfit_envs::{GridAxis, Image};

use crate::keep::store::fs::DiskFs;
use crate::show::clip::Clip;
use crate::show::metrics::{MetricsCsv, MetricsRow, names};
use crate::show::report::{Reached, ReportInputs, States};

/// A pseudo-random number in [-1, 1], a function of `i`.
pub fn noise(i: u64) -> f64 {
    let hash = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    f64::from(((hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as u32) / f64::from(1 << 23) - 1.0
}

/// Writes a door-like run of `rows` epochs with skewing power `power`.
pub fn a_run(dir: &Path, seed: u64, power: f64, rows: u64) {
    fs::create_dir_all(dir).unwrap();
    let config = format!("name = \"door\"\nseed = {seed}\n[env]\nscene = \"door\"\n[skew]\npower = {power:?}\n");
    fs::write(dir.join("config.toml"), config).unwrap();
    let names = names(&["angle_error_rad", "hand_distance_m"], &["angle"]);
    let mut csv = {
        let path = dir.join("metrics.csv");
        fs::write(&path, MetricsCsv::header(&names)).unwrap();
        MetricsCsv::cut_back(std::sync::Arc::new(DiskFs), &path, names, 0).unwrap()
    };
    for epoch in 1..=rows {
        let part = epoch as f64 / 60.0;
        let jitter = |k: u64| noise(1000 * seed + 31 * epoch + 7919 * k + (power * 64.0) as u64);
        let gain = 0.6 - power;
        let values = [
            ("eval/final_angle_error_rad", 0.32 * (-part * 2.0 * gain).exp() + 0.03 * jitter(1).abs()),
            ("eval/final_hand_distance_m", 0.2 * (-part * 2.0).exp() + 0.02 + 0.01 * jitter(2)),
            ("eval/success_rate", (part * gain * 0.8 + 0.05 * jitter(3)).clamp(0.0, 1.0)),
            ("train/critic_loss", 40.0 * (-part * 7.0).exp() + 0.08 + 0.02 * jitter(4)),
            ("train/actor_loss", 300.0 - 150.0 * part + 8.0 * jitter(5)),
            ("train/temperature", 0.4 * (-part).exp()),
            ("train/entropy", -3.0 + 1.5 * (-part * 3.0).exp() + 0.1 * jitter(6)),
            ("train/q_mean", -300.0 + 150.0 * part + 8.0 * jitter(7)),
            ("vae/sse", 20.0 + 90.0 * (-part * 8.0).exp() + jitter(8)),
            ("vae/kl", 11.0 + 2.0 * part + 0.2 * jitter(9)),
            ("vae/active_dims", (4.0 + 8.0 * part).floor()),
            ("skew/ess", 2e3 + 9e3 * part * (1.0 + 0.2 * jitter(10))),
            ("skew/max_weight", 4e-4 * (1.0 + 0.5 * jitter(11))),
            ("coverage/cells", (720.0 * (1.0 - (-part * gain).exp())).floor()),
            ("coverage/entropy_nats", 2.0 + 3.0 * (1.0 - (-part * 2.0 * gain).exp()) + 0.05 * jitter(12)),
            ("coverage/reached_share", 1.0 - (-part * gain).exp()),
            ("coverage/gap_nats", 3.0 * (-part * 2.0 * gain).exp() + 0.05 * jitter(14).abs()),
            ("skew/rank_corr", 0.5 - 0.3 * (-part * 4.0).exp() + 0.05 * jitter(15)),
            ("skew/entropy_gain", 0.2 + 0.05 * jitter(16)),
            ("reward/mean", -3.0 + 1.2 * part + 0.1 * jitter(13)),
            ("time/wall_s", 400.0 * epoch as f64),
        ];
        let measured = values.into_iter().filter(|(n, _)| !n.starts_with("skew") || epoch > 10);
        let row = MetricsRow { env_steps: 500 * epoch, values: measured.map(|(n, v)| (n.into(), v)).collect() };
        csv.append(&row).unwrap();
    }
}

/// A picture of a door at `angle` in front of a wall, `fade`d to grey.
pub fn door(angle: f64, fade: f64) -> Image {
    let pixel = |i: usize| {
        let (x, y) = ((i % 48) as f64 / 48.0, (i / 48) as f64 / 48.0);
        let edge = 0.3 + 0.5 * (1.0 - angle);
        let color = match (x, y) {
            (x, y) if (x - edge + 0.1).hypot(y - 0.5) < 0.05 => [240.0, 220.0, 60.0],
            (x, y) if x > 0.2 && x < edge && (0.15..0.9).contains(&y) => [150.0, 85.0, 40.0],
            (_, y) if y > 0.8 => [120.0, 130.0, 120.0],
            _ => [200.0, 205.0, 215.0],
        };
        color.map(|c| (c * (1.0 - fade) + 150.0 * fade) as u8)
    };
    Image { size: 48, pixels: (0..48 * 48).flat_map(pixel).collect() }
}

pub fn inputs() -> ReportInputs {
    let mut at = [0.05, 0.55];
    let visited = (0..30_000u64).map(|i| {
        let reach = 0.15 + i as f64 / 30_000.0;
        at[0] = (at[0] + 0.05 * noise(2 * i) - 0.004 * at[0]).clamp(0.0, reach);
        at[1] = (at[1] + 0.02 * noise(2 * i + 1)).clamp(0.4, 0.75);
        at
    });
    let axis = |low, high, cells| GridAxis { state: 0, low, high, cells };
    let states = States {
        axes: [axis(0.0, 1.05, 42), axis(0.4, 0.75, 28)],
        names: ["door angle (rad)".into(), "hand y (m)".into()],
        visited: visited.collect(),
        goals: (0..50).map(|i| [0.012 * f64::from(i), 0.55 + 0.1 * noise(i as u64)]).collect(),
    };
    let images = |n: u64, most: f64| (0..n).map(|i| door(most * noise(i).abs(), 0.0)).collect();
    ReportInputs {
        wall_s: Some(4321.0),
        final_metrics: [
            ("angle_error_rad", 0.0341),
            ("best_constant_angle_error_rad", 0.15),
            ("best_constant_hand_distance_m", 0.08),
            ("hand_distance_m", 0.0211),
            ("rank_correlation_angle", 0.93),
            ("rank_correlation_hand_x", 0.5),
            ("success_rate", 0.82),
        ]
        .map(|(name, value)| (name.into(), value))
        .to_vec(),
        states: Some(states),
        goals_early: images(20, 0.3),
        goals_late: images(20, 1.0),
        reached: (0..10)
            .map(|i| Reached {
                goal: door(0.1 * f64::from(i), 0.0),
                reached: door(0.1 * f64::from(i) + 0.1 * noise(i as u64), 0.0),
                caption: format!("{:.2} rad", noise(i as u64).abs() * 0.1),
                error: noise(i as u64).abs() * 0.1,
            })
            .collect(),
        rarest: (0..4)
            .map(|i| Reached {
                goal: door(0.2 * f64::from(i), 0.0),
                reached: door(0.9, 0.0),
                caption: format!("log p -{i}7: episode {i}3, step 9"),
                error: f64::from(i),
            })
            .collect(),
        reconstructions: (0..9).map(|i| (door(0.1 * f64::from(i), 0.0), door(0.1 * f64::from(i), 0.3))).collect(),
        prior_samples: images(24, 1.0),
        last_episode: Some(Clip {
            frames: (0..4).map(|t| door(0.1 * f64::from(t), 0.0)).collect(),
            goals: vec![door(0.4, 0.0)],
        }),
    }
}
