//! The report's advice: commands to run next, with the run's path, each with its reason.

use super::data::ReportData;
use super::events::counts;
use super::labels::format_value;
use super::page::PageBlock;
use crate::format::grouped;
use crate::keep::supervise::events::{Cause, Kind};

/// The most urgent command first.
pub(super) fn advice(data: &ReportData<'_>) -> Vec<PageBlock> {
    let path = data.run_dir.display().to_string().replace('\'', r"'\''");
    let advise = |why: String, verb: &str, more: &str| PageBlock::Command(why, format!("{verb} '{path}'{more}"));
    let times = |kind: Kind| counts(&data.events).iter().find(|(k, _)| *k == kind).map_or(0, |(_, n)| *n);
    let mut blocks = Vec::new();
    if data.events.iter().any(|e| e.cause == Some(Cause::Disk)) {
        let why = "The run paused because the disk was full: free some space before the next run.";
        blocks.push(advise(why.into(), "df -h", ""));
    }
    if times(Kind::Damaged) > 0 {
        let why = "Damaged files were found: list them, and restore them from a copy.".into();
        blocks.push(advise(why, "skewfit inspect", " --verify"));
    }
    let (resume, (steps, planned)) = ("skewfit resume", (data.steps, data.planned()));
    match data.events.last() {
        Some(event) if matches!(event.event, Kind::Failed | Kind::GaveUp) => {
            let why = format!(
                "The run ended with an error ({}): fix the cause, then resume from the last checkpoint.",
                event.why
            );
            blocks.push(advise(why, resume, ""));
        }
        _ if steps < planned => {
            let why = format!("The run stopped after {} of {} steps: resume it.", grouped(steps), grouped(planned));
            blocks.push(advise(why, resume, ""));
        }
        _ => {
            let more = format!(" --steps {}", steps.saturating_mul(2));
            blocks.push(advise("All steps are done: explore for longer.".into(), resume, &more));
        }
    }
    let non_finite = times(Kind::Skipped) + times(Kind::RolledBack);
    let why = match (data.final_and_constant(), non_finite) {
        (_, 1) => "A non-finite value occurred: look for its cause.".into(),
        (_, 2..) => format!("Non-finite values occurred {non_finite} times: look for their cause."),
        (Some((value, constant)), _) if value >= constant => format!(
            "The evaluation error ({}) is no better than the best constant answer's ({}): look for the cause.",
            format_value(value),
            format_value(constant)
        ),
        _ => "Check what the run has learned: one verdict per line.".into(),
    };
    blocks.push(advise(why, "skewfit diagnose", ""));
    blocks.push(advise("Give it a goal picture.".into(), "skewfit evaluate", " --goal picture.png"));
    blocks.push(advise("Redraw this page.".into(), "skewfit plot", ""));
    blocks
}
