//! Table and summary of a run's events (`night.jsonl`): equal events in a row share a line, pauses show their length.

use super::page::PageTable;
use crate::format::{duration, grouped};
use crate::keep::provenance::parse_utc;
use crate::keep::supervise::events::{Event, Kind};

/// Most lines shown; the file has all events.
const MOST: usize = 60;

/// Name of a kind of event: singular, plural.
fn name(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Began => ["started", "started"],
        Kind::Resumed => ["resume", "resumes"],
        Kind::Paused => ["pause", "pauses"],
        Kind::WentOn => ["continued", "continued"],
        Kind::Skipped => ["update or episode skipped", "updates or episodes skipped"],
        Kind::RolledBack => ["rollback to a checkpoint", "rollbacks to checkpoints"],
        Kind::Damaged => ["damaged file", "damaged files"],
        Kind::Restarted => ["restart", "restarts"],
        Kind::GaveUp => ["gave up restarting", "gave up restarting"],
        Kind::Stopped => ["stop on request", "stops on request"],
        Kind::Done => ["all steps done", "all steps done"],
        Kind::Failed => ["failure", "failures"],
    }
}

/// How often each noteworthy kind occurred; kinds that did not occur are left out.
pub(super) fn counts(events: &[Event]) -> Vec<(Kind, usize)> {
    let kinds = [
        Kind::Paused,
        Kind::Skipped,
        Kind::RolledBack,
        Kind::Damaged,
        Kind::Restarted,
        Kind::GaveUp,
        Kind::Failed,
        Kind::Resumed,
        Kind::Stopped,
    ];
    let count = |kind: Kind| (kind, events.iter().filter(|e| e.event == kind).count());
    kinds.map(count).into_iter().filter(|(_, n)| *n > 0).collect()
}

/// `2 pauses (14 min 00 s), 1 restart`, or `no incidents`.
pub(super) fn summary(events: &[Event]) -> String {
    let paused: f64 = (0..events.len()).filter_map(|i| pause_s(events, i)).sum();
    let texts = counts(events).into_iter().map(|(kind, n)| {
        let long = if kind == Kind::Paused { format!(" ({})", duration(paused)) } else { String::new() };
        format!("{n} {}{long}", name(kind)[usize::from(n > 1)])
    });
    let texts: Vec<String> = texts.collect();
    if texts.is_empty() { "no incidents".into() } else { texts.join(", ") }
}

/// Time, step, kind and reason of each event.
pub(super) fn table(events: &[Event]) -> PageTable {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut i = 0;
    while i < events.len() && rows.len() < MOST {
        let first = &events[i];
        let same = |e: &&Event| e.event == first.event && e.why == first.why;
        let n = events[i..].iter().take_while(same).count();
        let [singular, _] = name(first.event);
        let what = match (n, pause_s(events, i)) {
            (1, Some(seconds)) => format!("{singular}, {}", duration(seconds)),
            (1, None) => singular.to_owned(),
            _ => format!("{singular}, {n} times, the last one at {}", date_and_time(&events[i + n - 1])),
        };
        rows.push(vec![date_and_time(first), grouped(first.env_steps), what, first.why.clone()]);
        i += n;
    }
    if i < events.len() {
        let more = format!("{} more, in night.jsonl", events.len() - i);
        rows.push(vec![String::new(), String::new(), more, String::new()]);
    }
    PageTable { head: ["Time (UTC)", "Step", "Event", "Reason"].map(String::from).to_vec(), rows, numbers: false }
}

/// `2026-11-20 03:04:05`: the space lets a narrow screen break the line.
fn date_and_time(event: &Event) -> String {
    event.at.replacen('T', " ", 1).trim_end_matches('Z').to_owned()
}

/// Seconds from pause `i` to the next event; `None` if event `i` is not a pause, or is the last event.
fn pause_s(events: &[Event], i: usize) -> Option<f64> {
    let (pause, next) = (events.get(i)?, events.get(i + 1)?);
    let long = parse_utc(&next.at)?.checked_sub(parse_utc(&pause.at)?)?;
    (pause.event == Kind::Paused).then_some(long as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at: &str, event: Kind, why: &str) -> Event {
        Event { at: format!("2026-11-20T{at}Z"), env_steps: 500, updates: 7, event, cause: None, why: why.into() }
    }

    #[test]
    fn events_are_summarised_and_listed() {
        assert_eq!(summary(&[event("01:00:00", Kind::Began, ""), event("02:00:00", Kind::Done, "")]), "no incidents");
        let events = [
            event("22:00:00", Kind::Began, "skewfit explore door"),
            event("23:00:00", Kind::Paused, "disk: 12 MB free"),
            event("23:13:20", Kind::WentOn, "disk: 3 GB free"),
            event("23:20:00", Kind::Skipped, "the critic's loss is not finite"),
            event("23:20:01", Kind::Skipped, "the critic's loss is not finite"),
            event("23:20:02", Kind::Skipped, "another"),
            event("23:30:00", Kind::Paused, "asked"),
        ];
        assert_eq!(summary(&events), "2 pauses (13 min 20 s), 3 updates or episodes skipped");
        let listed = table(&events);
        let whats: Vec<&str> = listed.rows.iter().map(|row| row[2].as_str()).collect();
        let [once, twice] =
            ["update or episode skipped", "update or episode skipped, 2 times, the last one at 2026-11-20 23:20:01"];
        assert_eq!(whats, ["started", "pause, 13 min 20 s", "continued", twice, once, "pause"]);
        assert_eq!(listed.rows[1], ["2026-11-20 23:00:00", "500", "pause, 13 min 20 s", "disk: 12 MB free"]);
    }

    #[test]
    fn a_long_list_of_events_is_cut() {
        let events: Vec<Event> = (0..200).map(|i| event("01:00:00", Kind::Skipped, &i.to_string())).collect();
        let listed = table(&events);
        assert_eq!((listed.rows.len(), listed.rows[MOST][2].as_str()), (MOST + 1, "140 more, in night.jsonl"));
    }
}
