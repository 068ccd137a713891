//! Runs of realistic shape, made from formulas. `SKEWFIT_KEEP_PLOTS=<directory>` keeps the pictures, to be looked at.

use std::{fs, path::Path};

use skewfit_envs::GridAxis;

use super::*;
use crate::keep::store::fs::DiskFs;
use crate::keep::supervise::events::{self, Cause, Event, Kind};
use crate::show::metrics::{MetricsCsv, Row, names};

/// In [-1, 1], the same for the same `i`.
fn noise(i: u64) -> f64 {
    let hash = (i + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    f64::from(((hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as u32) / f64::from(1 << 23) - 1.0
}

/// A door-like run of 60 epochs with skewing power `power`.
fn a_run(dir: &Path, seed: u64, power: f64, rows: u64) {
    fs::create_dir_all(dir).unwrap();
    let config = format!("name = \"door\"\nseed = {seed}\n[env]\nscene = \"door\"\n[skew]\npower = {power:?}\n");
    fs::write(dir.join("config.toml"), config).unwrap();
    let names = names(&["angle_error_rad", "hand_distance_m"], &[]);
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
            ("reward/mean", -3.0 + 1.2 * part + 0.1 * jitter(13)),
            ("time/wall_s", 400.0 * epoch as f64),
        ];
        let measured = values.into_iter().filter(|(n, _)| !n.starts_with("skew") || epoch > 10);
        let row = Row { env_steps: 500 * epoch, values: measured.map(|(n, v)| (n.into(), v)).collect() };
        csv.append(&row).unwrap();
    }
}

/// A door at `angle` in front of a wall, as a renderer might show it.
fn door(angle: f64, fade: f64) -> Image {
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

fn inputs() -> Drawn {
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
    Drawn {
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
            goal: door(0.4, 0.0),
        }),
    }
}

fn size(png: &Path) -> (u32, u32) {
    let picture = image::open(png).unwrap();
    (picture.width(), picture.height())
}

/// Every tag that opens also closes, in order.
fn well_formed(svg: &str) -> bool {
    let mut open = vec![];
    for tag in svg.split('<').skip(1) {
        let Some((tag, text)) = tag.split_once('>') else { return false };
        let name = tag.split_whitespace().next().unwrap_or_default();
        let sound = tag.matches('"').count() % 2 == 0 && !text.contains('>');
        match name.strip_prefix('/') {
            _ if !sound => return false,
            Some(name) if open.pop() != Some(name) => return false,
            None if !tag.ends_with('/') && !tag.starts_with(['?', '!']) => open.push(name),
            _ => {}
        }
    }
    open.is_empty()
}

#[test]
fn a_run_is_drawn_whole_and_twice_the_same() {
    let dir = tempfile::tempdir().unwrap();
    a_run(dir.path(), 0, -0.5, 60);
    let files = draw(dir.path(), &inputs()).unwrap();
    let first: Vec<_> = files.iter().map(|f| fs::read(f).unwrap()).collect();
    let names: Vec<_> = files.iter().map(|f| f.strip_prefix(dir.path()).unwrap().to_str().unwrap()).collect();
    let curves = ["coverage", "evaluation", "learning"].map(|n| [format!("plots/{n}.svg"), format!("plots/{n}.png")]);
    let sheets = ["states", "states_over_time", "reached", "best", "worst", "rarest"];
    let sheets = sheets.into_iter().chain(["goals", "reconstructions", "prior_samples"]);
    let want = curves.concat().into_iter().chain(sheets.map(|n| format!("plots/{n}.png")));
    let last = ["plots/last_episode.gif", "plots/coverage_over_time.png", "REPORT.md", "REPORT.html"];
    assert_eq!(names, want.chain(last.map(String::from)).collect::<Vec<_>>());
    assert_eq!(size(&dir.path().join("plots/coverage.png")), (1600, 580));
    assert_eq!(size(&dir.path().join("plots/last_episode.gif")), (4 * 97, 4 * 48));
    let svg = fs::read_to_string(dir.path().join("plots/learning.svg")).unwrap();
    assert!(
        well_formed(&svg)
            && svg.contains("environment steps (thousands)")
            && svg.contains("Critic loss (reward²), log scale")
    );
    let page = fs::read_to_string(dir.path().join("REPORT.md")).unwrap();
    for words in [
        "# door, seed 0",
        "30,000 steps in 1 h 12 min",
        "| Angle error (rad) | 0.034 |",
        "| Rank correlation angle | 0.930 |",
        "| Coverage cells | ",
        "(plots/reached.png)",
        "(plots/last_episode.gif)",
        "## Coverage over the hours",
        "| 1 h 00 min | 4,500 | ",
        "| 6 h 40 min | 30,000 | ",
        "(plots/coverage_over_time.png)",
        "(plots/rarest.png)",
        "(plots/worst.png)",
        "All its steps are done",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("What happened meanwhile"), "nothing was written down");
    let html = fs::read_to_string(dir.path().join("REPORT.html")).unwrap();
    assert_eq!(html.matches("<img ").count(), page.matches("\n![").count(), "every picture is in both");
    draw(dir.path(), &inputs()).unwrap();
    assert_eq!(first, files.iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>());
    if let Ok(kept) = std::env::var("SKEWFIT_KEEP_PLOTS") {
        for file in &files {
            fs::copy(file, Path::new(&kept).join(file.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn an_image_on_a_sheet_keeps_its_pixels() {
    let dir = tempfile::tempdir().unwrap();
    let image = Image { size: 48, pixels: (0..48 * 48 * 3).map(|i| (noise(i) * 127.0 + 128.0) as u8).collect() };
    let sheet = sheet::pairs("pairs", ["left", "right"], &[(&image, &door(0.5, 0.0), "caption")]).unwrap();
    let png = sheet.save(&dir.path().join("sheet"), false).unwrap();
    let drawn = image::open(&png[0]).unwrap().into_rgb8();
    let (left, top) = (24, 104);
    let pixels = (0..192 * 192).map(|i| (i % 192, i / 192));
    assert!(pixels.into_iter().all(|(x, y): (u32, u32)| {
        let at = (y as usize / 4 * 48 + x as usize / 4) * 3;
        drawn.get_pixel(left + x, top + y).0 == image.pixels[at..at + 3]
    }));
}

#[test]
fn several_runs_are_compared_by_their_settings() {
    let dir = tempfile::tempdir().unwrap();
    let runs: Vec<_> = [(0, -0.5), (1, -0.5), (2, -0.5), (0, 0.0)]
        .into_iter()
        .enumerate()
        .map(|(i, (seed, power))| {
            let run = dir.path().join(i.to_string());
            a_run(&run, seed, power, 60 - i as u64);
            let mut drawn = inputs();
            drawn.states.as_mut().unwrap().visited.truncate(30_000 - 5_000 * i);
            (run, drawn)
        })
        .collect();
    let out =
        std::env::var("SKEWFIT_KEEP_PLOTS").map_or(dir.path().join("out"), |kept| Path::new(&kept).join("compare"));
    let files = compare(&runs, &out).unwrap();
    assert!(files.contains(&out.join("states_over_time.png")) && !files.contains(&out.join("reached.png")));
    let svg = fs::read_to_string(out.join("coverage.svg")).unwrap();
    assert!(svg.contains("door, skew.power = -0.5 (3 seeds)") && svg.contains("door, skew.power = 0.0, seed 0"));
    assert_eq!(svg.matches("<polygon").count(), 2, "a band in each panel for the group of three");
    let svg = fs::read_to_string(out.join("evaluation.svg")).unwrap();
    assert_eq!(svg.matches("best constant: 0.15").count(), 1);
    assert_eq!(svg.matches("best constant: 0.08").count(), 1);
    let table = fs::read_to_string(out.join("table.md")).unwrap();
    let head = "| Experiment | Seed | Steps | Angle error (rad) | The best constant answer's | \
                Rank correlation of angle | Hand distance (m) | Success rate | Coverage cells | Coverage entropy (nats) | \
                Wall time |\n";
    assert!(table.starts_with(head), "{table}");
    assert!(table.contains("\n| door | 1 | 29,500 | 0.034 | 0.150 | 0.930 | 0.021 | 0.820 | "), "{table}");
    assert!(table.contains("\n| **door, skew.power = -0.5 (3 seeds), mean** | | | 0.034 | 0.150 |"), "{table}");
    assert!(matches!(compare(&[(dir.path().into(), Drawn::default())], &out), Err(Error::Usage(_))));
}

#[test]
fn little_or_odd_data_is_no_reason_to_fail() {
    let dir = tempfile::tempdir().unwrap();
    a_run(dir.path(), 0, -0.5, 0);
    assert_eq!(draw(dir.path(), &Drawn::default()).unwrap().len(), 2, "the pages alone");
    let rows = "env_steps,coverage/cells,train/q_mean,eval/final_x,eval/é,reward/mean\n500,3.0,NaN,inf,-inf,1e308\n";
    fs::write(dir.path().join("metrics.csv"), rows).unwrap();
    let axis = |low, high, cells| GridAxis { state: 0, low, high, cells };
    let odd = |axes, visited: &[[f64; 2]]| Drawn {
        states: Some(States { axes, names: Default::default(), visited: visited.to_vec(), goals: vec![[f64::NAN; 2]] }),
        reached: vec![Reached {
            goal: Image { size: 0, pixels: vec![] },
            reached: door(0.5, 0.0),
            caption: "ä <&> \u{4e00}".into(),
            error: 0.0,
        }],
        ..Drawn::default()
    };
    let drawn = |inputs: &Drawn| draw(dir.path(), inputs).unwrap().len();
    assert_eq!(drawn(&odd([axis(0.0, 1.0, 4), axis(0.0, 1.0, 4)], &[[f64::NAN, 0.0], [0.5, f64::INFINITY]])), 7);
    assert_eq!(drawn(&odd([axis(0.0, 1.0, 4), axis(-1.0, 1.0, 1)], &[[0.5, 0.5]])), 7);
    assert_eq!(drawn(&odd([axis(0.0, 0.0, 4), axis(0.0, 1.0, 0)], &[[0.5, 0.5]])), 5);
    let svg = fs::read_to_string(dir.path().join("plots/coverage.svg")).unwrap();
    assert!(well_formed(&svg) && svg.contains("<circle") && svg.contains("Coverage cells"));
}

/// The commands that the report of a run advises, with their reasons, after such a night.
fn advice(night: &[(Kind, &str)], settings: &str, inputs: &Drawn) -> String {
    let dir = tempfile::tempdir().unwrap();
    a_run(dir.path(), 0, -0.5, 60);
    let config = dir.path().join("config.toml");
    fs::write(&config, fs::read_to_string(&config).unwrap() + settings).unwrap();
    for (event, why) in night {
        let cause = why.starts_with("disk").then_some(Cause::Disk);
        let event = Event { at: "t".into(), env_steps: 1, updates: 1, event: *event, cause, why: (*why).into() };
        events::tell(&DiskFs, dir.path(), &event).unwrap();
    }
    draw(dir.path(), inputs).unwrap();
    let page = fs::read_to_string(dir.path().join("REPORT.md")).unwrap();
    let path = dir.path().display().to_string();
    page.split("## What to run next").nth(1).unwrap().replace(&path, "RUN")
}

#[test]
fn advice_follows_from_what_happened() {
    let none = Drawn::default();
    let constant = |angle: f64| Drawn {
        final_metrics: vec![("angle_error_rad".into(), angle), ("best_constant_angle_error_rad".into(), 0.15)],
        ..Drawn::default()
    };
    let planned = |steps: u64| format!("[run]\nsteps = {steps}\n");
    type Night<'a> = &'a [(Kind, &'a str)];
    let cases: [(Night<'_>, String, Drawn, &[&str]); 8] = [
        (&[], planned(30_000), none.clone(), &["All its steps are done", "skewfit resume 'RUN' --steps 60000\n"]),
        (&[], planned(95_000), none.clone(), &["stopped after 30,000 of 95,000 steps", "skewfit resume 'RUN'\n"]),
        (&[(Kind::Failed, "no disk")], planned(1), none.clone(), &["ended with an error (no disk)", "resume 'RUN'\n"]),
        (&[(Kind::Paused, "disk: 3 MB free")], planned(1), none.clone(), &["want of disk", "df -h 'RUN'"]),
        (&[(Kind::Damaged, "x.h5")], planned(1), none.clone(), &["Damage was found", "inspect 'RUN' --verify"]),
        (
            &[(Kind::Skipped, "loss"), (Kind::RolledBack, "2")],
            planned(1),
            constant(0.2),
            &["not finite came up 2 times"],
        ),
        (&[], planned(1), constant(0.16), &["no nearer to their goals (0.160) than", "(0.150)", "diagnose 'RUN'"]),
        (&[], planned(1), constant(0.1), &["a verdict a line", "diagnose 'RUN'", "--goal picture.png", "plot 'RUN'"]),
    ];
    for (night, settings, inputs, wanted) in cases {
        let told = advice(night, &settings, &inputs);
        for words in wanted {
            assert!(told.contains(words), "{night:?}: {words} in {told}");
        }
        for (kind, words) in [(Kind::Paused, "df -h"), (Kind::Damaged, "inspect")] {
            assert_eq!(told.contains(words), night.iter().any(|(k, _)| *k == kind), "{night:?}: {words}");
        }
    }
    assert!(!advice(&[(Kind::Paused, "asked for a disk")], "", &none).contains("df -h"));
    let mended = advice(&[(Kind::Failed, "no disk"), (Kind::Resumed, "at 7 steps")], &planned(1), &none);
    assert!(!mended.contains("ended with an error") && mended.contains("All its steps are done"), "{mended}");
}

#[test]
fn the_best_and_the_worst_are_ranked_by_their_error() {
    let reached = |error: f64| Reached { error, ..inputs().reached[0].clone() };
    let of = |errors: &[f64]| {
        let inputs = Drawn { reached: errors.iter().map(|e| reached(*e)).collect(), ..Drawn::default() };
        pictures(&inputs).into_iter().filter_map(|(name, canvas)| Some((name, canvas?.height))).collect::<Vec<_>>()
    };
    assert!(of(&[0.1]).iter().all(|(name, _)| *name == "reached"), "one is neither");
    let names: Vec<_> = of(&[0.3, f64::NAN, 0.1]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["reached", "best", "worst"]);
    let inputs = Drawn { reached: [0.3, 0.2, 0.1, 0.4].map(reached).to_vec(), ..Drawn::default() };
    let order = |attempts: Vec<&Reached>| attempts.iter().map(|r| r.error).collect::<Vec<_>>();
    let [best, worst] = extremes(&inputs.reached);
    assert_eq!((order(best), order(worst)), (vec![0.1, 0.2], vec![0.4, 0.3]));
}
