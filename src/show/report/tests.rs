//! Reports of synthetic runs. `SKEWFIT_KEEP_PLOTS=<directory>` keeps the pictures for inspection.

mod advice;
mod examples;

use std::{fs, path::Path};

use skewfit_envs::{GridAxis, Image};

use super::*;
use crate::error::Error;
use examples::{a_run, door, inputs, noise};

fn size(png: &Path) -> (u32, u32) {
    let picture = image::open(png).unwrap();
    (picture.width(), picture.height())
}

/// True if every opening tag is closed, in order.
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
    assert_eq!(size(&dir.path().join("plots/coverage.png")), (1600, 1092));
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
        "## Coverage over time",
        "| 1 h 00 min | 4,500 | ",
        "| 6 h 40 min | 30,000 | ",
        "(plots/coverage_over_time.png)",
        "(plots/rarest.png)",
        "(plots/worst.png)",
        "All steps are done",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("## Events"), "no event was recorded");
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
    assert_eq!(svg.matches("<polygon").count(), 4, "a band in each panel for the group of three");
    let svg = fs::read_to_string(out.join("evaluation.svg")).unwrap();
    assert_eq!(svg.matches("best constant: 0.15").count(), 1);
    assert_eq!(svg.matches("best constant: 0.08").count(), 1);
    let table = fs::read_to_string(out.join("table.md")).unwrap();
    let head = "| Experiment | Seed | Steps | Angle error (rad) | The best constant answer's | \
                Rank correlation of angle | Hand distance (m) | Success rate | Coverage cells | Coverage entropy (nats) | \
                Coverage reached share | Coverage gap (nats) | Wall time |\n";
    assert!(table.starts_with(head), "{table}");
    assert!(table.contains("\n| door | 1 | 29,500 | 0.034 | 0.150 | 0.930 | 0.021 | 0.820 | "), "{table}");
    assert!(table.contains("\n| **door, skew.power = -0.5 (3 seeds), mean** | | | 0.034 | 0.150 |"), "{table}");
    assert!(matches!(compare(&[(dir.path().into(), ReportInputs::default())], &out), Err(Error::Usage(_))));
}

#[test]
fn a_report_of_little_or_odd_data_is_drawn() {
    let dir = tempfile::tempdir().unwrap();
    a_run(dir.path(), 0, -0.5, 0);
    assert_eq!(draw(dir.path(), &ReportInputs::default()).unwrap().len(), 2, "the pages alone");
    let rows = "env_steps,coverage/cells,train/q_mean,eval/final_x,eval/é,reward/mean\n500,3.0,NaN,inf,-inf,1e308\n";
    fs::write(dir.path().join("metrics.csv"), rows).unwrap();
    let axis = |low, high, cells| GridAxis { state: 0, low, high, cells };
    let odd = |axes, visited: &[[f64; 2]]| ReportInputs {
        states: Some(States { axes, names: Default::default(), visited: visited.to_vec(), goals: vec![[f64::NAN; 2]] }),
        reached: vec![Reached {
            goal: Image { size: 0, pixels: vec![] },
            reached: door(0.5, 0.0),
            caption: "ä <&> \u{4e00}".into(),
            error: 0.0,
        }],
        ..ReportInputs::default()
    };
    let drawn = |inputs: &ReportInputs| draw(dir.path(), inputs).unwrap().len();
    assert_eq!(drawn(&odd([axis(0.0, 1.0, 4), axis(0.0, 1.0, 4)], &[[f64::NAN, 0.0], [0.5, f64::INFINITY]])), 7);
    assert_eq!(drawn(&odd([axis(0.0, 1.0, 4), axis(-1.0, 1.0, 1)], &[[0.5, 0.5]])), 7);
    assert_eq!(drawn(&odd([axis(0.0, 0.0, 4), axis(0.0, 1.0, 0)], &[[0.5, 0.5]])), 5);
    let svg = fs::read_to_string(dir.path().join("plots/coverage.svg")).unwrap();
    assert!(well_formed(&svg) && svg.contains("<circle") && svg.contains("Coverage cells"));
}

#[test]
fn best_and_worst_attempts_are_ranked_by_their_error() {
    let reached = |error: f64| Reached { error, ..inputs().reached[0].clone() };
    let of = |errors: &[f64]| {
        let inputs = ReportInputs { reached: errors.iter().map(|e| reached(*e)).collect(), ..ReportInputs::default() };
        pictures(&inputs).into_iter().filter_map(|(name, canvas)| Some((name, canvas?.height))).collect::<Vec<_>>()
    };
    assert!(of(&[0.1]).iter().all(|(name, _)| *name == "reached"), "a single attempt is neither best nor worst");
    let names: Vec<_> = of(&[0.3, f64::NAN, 0.1]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["reached", "best", "worst"]);
    let inputs = ReportInputs { reached: [0.3, 0.2, 0.1, 0.4].map(reached).to_vec(), ..ReportInputs::default() };
    let order = |attempts: Vec<&Reached>| attempts.iter().map(|r| r.error).collect::<Vec<_>>();
    let [best, worst] = extremes(&inputs.reached);
    assert_eq!((order(best), order(worst)), (vec![0.1, 0.2], vec![0.4, 0.3]));
}
