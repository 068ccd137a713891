//! The report of a run with incidents: the same facts in Markdown and in one self-contained HTML file.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;

use common::{explore, json, skewfit};
use skewfit::keep::store::fs::DiskFs;
use skewfit::keep::supervise::events::{Cause, Event, Kind, record};

/// The text, escaped for HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[test]
fn the_report_lists_the_incidents_of_the_night() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("a run's");
    explore(&run, &[]);
    let bad = "</td><script>alert('x')</script> <img src=http://host/x.png>";
    for (at, event, why) in [
        ("22:00:00", Kind::Began, "skewfit explore corridor-tiny"),
        ("22:10:00", Kind::Paused, "disk: 12 MB are free, 64 MB are kept"),
        ("22:22:30", Kind::WentOn, "disk: 3 GB are free"),
        ("22:30:00", Kind::Skipped, bad),
        ("22:40:00", Kind::RolledBack, "checkpoint 00000200, half the learning rate"),
        ("22:50:00", Kind::Restarted, "killed by signal 9"),
        ("22:51:00", Kind::Damaged, "episodes/000003.h5"),
    ] {
        let at = format!("2026-11-20T{at}Z");
        let (env_steps, updates, why) = (600, 200, why.to_owned());
        let cause = (event == Kind::Paused).then_some(Cause::Disk);
        record(&DiskFs, &run, &Event { at, env_steps, updates, event, cause, why }).unwrap();
    }
    let told = skewfit("plot", &run, &[]);
    assert_eq!(told.status.code(), Some(0), "{}", common::stderr(&told));
    let [page, html] = ["REPORT.md", "REPORT.html"].map(|name| fs::read_to_string(run.join(name)).unwrap());

    let short =
        "1 pause (12 min 30 s), 1 update or episode skipped, 1 rollback to a checkpoint, 1 damaged file, 1 restart";
    for words in [
        "corridor-tiny, seed 0",
        "Explored corridor for 1,000 steps in ",
        short,
        "pause, 12 min 30 s",
        "disk: 12 MB are free, 64 MB are kept",
        "checkpoint 00000200, half the learning rate",
        "killed by signal 9",
        "episodes/000003.h5",
        "Coverage cells",
        "skewfit explore corridor-tiny --json --set run.threads=1",
    ] {
        assert!(page.contains(words) && html.contains(words), "{words} in {page}");
    }
    let path = run.display().to_string().replace('\'', r"'\''");
    for (verb, more) in [
        ("df -h", ""),
        ("skewfit inspect", " --verify"),
        ("skewfit resume", " --steps 2000"),
        ("skewfit diagnose", ""),
        ("skewfit evaluate", " --goal picture.png"),
        ("skewfit plot", ""),
    ] {
        let command = format!("{verb} '{path}'{more}");
        assert!(page.contains(&format!("```sh\n{command}\n```")), "{command} in {page}");
        assert!(html.contains(&format!("<pre>{}</pre>", escaped(&command))), "{command}");
    }

    assert!(!html.contains("<script") && html.contains(&escaped(bad)), "texts are escaped");
    assert!(!page.contains("| </td>") && !page.contains(" <img"), "in Markdown, too");
    let mut pictures = 0;
    for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        for name in ["src=\"", "href=\"", "url("] {
            for value in tag.split(name).skip(1) {
                assert!(value.starts_with("data:image/") || value.starts_with('#'), "{tag:.80}");
            }
        }
        pictures += usize::from(tag.starts_with("img "));
    }
    assert_eq!(pictures, page.matches("\n![").count());
    assert!(pictures >= 14, "{pictures}");
    for picture in page.split("](plots/").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(run.join("plots").join(picture).is_file(), "{picture}");
    }
    assert_eq!(json(&skewfit("inspect", &run, &["--verify", "--json"]))["damaged"], serde_json::json!([]));
}
