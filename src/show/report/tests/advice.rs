//! The advice of a report after given events.

use std::fs;

use super::examples::a_run;
use crate::keep::store::fs::DiskFs;
use crate::keep::supervise::events::{self, Cause, Event, Kind};
use crate::show::report::{ReportInputs, draw};

/// The section "What to run next" of the report on a run with these events.
fn advice(events: &[(Kind, &str)], settings: &str, inputs: &ReportInputs) -> String {
    let dir = tempfile::tempdir().unwrap();
    a_run(dir.path(), 0, -0.5, 60);
    let config = dir.path().join("config.toml");
    fs::write(&config, fs::read_to_string(&config).unwrap() + settings).unwrap();
    for (event, why) in events {
        let cause = why.starts_with("disk").then_some(Cause::Disk);
        let event = Event { at: "t".into(), env_steps: 1, updates: 1, event: *event, cause, why: (*why).into() };
        events::record(&DiskFs, dir.path(), &event).unwrap();
    }
    draw(dir.path(), inputs).unwrap();
    let page = fs::read_to_string(dir.path().join("REPORT.md")).unwrap();
    let path = dir.path().display().to_string();
    page.split("## What to run next").nth(1).unwrap().replace(&path, "RUN")
}

#[test]
fn advice_follows_from_the_events() {
    let none = ReportInputs::default();
    let constant = |angle: f64| ReportInputs {
        final_metrics: vec![("angle_error_rad".into(), angle), ("best_constant_angle_error_rad".into(), 0.15)],
        ..ReportInputs::default()
    };
    let planned = |steps: u64| format!("[run]\nsteps = {steps}\nwarmup_steps = 0\n");
    type Events<'a> = &'a [(Kind, &'a str)];
    let cases: [(Events<'_>, String, ReportInputs, &[&str]); 8] = [
        (&[], planned(30_000), none.clone(), &["All steps are done", "skewfit resume 'RUN' --steps 60000\n"]),
        (&[], planned(95_000), none.clone(), &["stopped after 30,000 of 95,000 steps", "skewfit resume 'RUN'\n"]),
        (&[(Kind::Failed, "no disk")], planned(1), none.clone(), &["ended with an error (no disk)", "resume 'RUN'\n"]),
        (&[(Kind::Paused, "disk: 3 MB free")], planned(1), none.clone(), &["the disk was full", "df -h 'RUN'"]),
        (&[(Kind::Damaged, "x.h5")], planned(1), none.clone(), &["Damaged files were found", "inspect 'RUN' --verify"]),
        (
            &[(Kind::Skipped, "loss"), (Kind::RolledBack, "2")],
            planned(1),
            constant(0.2),
            &["Non-finite values occurred 2 times"],
        ),
        (&[], planned(1), constant(0.16), &["error (0.160) is no better than", "(0.150)", "diagnose 'RUN'"]),
        (
            &[],
            planned(1),
            constant(0.1),
            &["one verdict per line", "diagnose 'RUN'", "--goal picture.png", "plot 'RUN'"],
        ),
    ];
    for (events, settings, inputs, wanted) in cases {
        let advised = advice(events, &settings, &inputs);
        for words in wanted {
            assert!(advised.contains(words), "{events:?}: {words} in {advised}");
        }
        for (kind, words) in [(Kind::Paused, "df -h"), (Kind::Damaged, "inspect")] {
            assert_eq!(advised.contains(words), events.iter().any(|(k, _)| *k == kind), "{events:?}: {words}");
        }
    }
    assert!(!advice(&[(Kind::Paused, "asked for a disk")], "", &none).contains("df -h"));
    let resumed = advice(&[(Kind::Failed, "no disk"), (Kind::Resumed, "at 7 steps")], &planned(1), &none);
    assert!(!resumed.contains("ended with an error") && resumed.contains("All steps are done"), "{resumed}");
}
