//! What to run next: commands with the run's own path, each with the reason that this run gives.

use super::events::counts;
use super::page::Block;
use super::story::Story;
use super::words::figure;
use crate::format::grouped;
use crate::keep::supervise::events::{Cause, Kind};

/// The most pressing first.
pub(super) fn advice(story: &Story<'_>) -> Vec<Block> {
    let path = story.run_dir.display().to_string().replace('\'', r"'\''");
    let say = |why: String, verb: &str, more: &str| Block::Command(why, format!("{verb} '{path}'{more}"));
    let happened = |kind: Kind| counts(&story.events).iter().find(|(k, _)| *k == kind).map_or(0, |(_, n)| *n);
    let mut blocks = Vec::new();
    if story.events.iter().any(|e| e.cause == Some(Cause::Disk)) {
        blocks.push(say("It stood still for want of disk: make room before the next night.".into(), "df -h", ""));
    }
    if happened(Kind::Damaged) > 0 {
        let why = "Damage was found: see what is lost, and put sound copies back.".into();
        blocks.push(say(why, "skewfit inspect", " --verify"));
    }
    let (resume, (steps, planned)) = ("skewfit resume", (story.steps, story.planned()));
    match story.events.last() {
        Some(event) if matches!(event.event, Kind::Failed | Kind::GaveUp) => {
            let why = format!(
                "It ended with an error ({}): once the cause is gone, go on from its last checkpoint.",
                event.why
            );
            blocks.push(say(why, resume, ""));
        }
        _ if steps < planned => {
            let why = format!("It was stopped after {} of {} steps: go on.", grouped(steps), grouped(planned));
            blocks.push(say(why, resume, ""));
        }
        _ => {
            let more = format!(" --steps {}", steps.saturating_mul(2));
            blocks.push(say("All its steps are done: let it explore for longer.".into(), resume, &more));
        }
    }
    let odd = happened(Kind::Skipped) + happened(Kind::RolledBack);
    let why = match (story.beside_constant(), odd) {
        (_, 1) => "A number that is not finite came up: see what ails it.".into(),
        (_, 2..) => format!("Numbers that are not finite came up {odd} times: see what ails it."),
        (Some((value, constant)), _) if value >= constant => format!(
            "Its attempts end no nearer to their goals ({}) than the best constant answer ({}): see what ails it.",
            figure(value),
            figure(constant)
        ),
        _ => "See what it has learned and what ails it, a verdict a line.".into(),
    };
    blocks.push(say(why, "skewfit diagnose", ""));
    blocks.push(say("Show it a picture to reach.".into(), "skewfit evaluate", " --goal picture.png"));
    blocks.push(say("Draw this page anew.".into(), "skewfit plot", ""));
    blocks
}
