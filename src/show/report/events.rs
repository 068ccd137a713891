//! What happened to a run, from its `night.jsonl`: a line an event, alike ones in a row together, pauses with their length.

use super::page::Table;
use crate::format::{duration, grouped};
use crate::keep::provenance::parse_utc;
use crate::keep::supervise::events::{Event, Kind};

/// Lines that are shown; the file has them all.
const MOST: usize = 60;

/// What a kind of event is called: once, several times.
fn name(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Began => ["begun", "begun"],
        Kind::Resumed => ["taken up again", "taken up again"],
        Kind::Paused => ["pause", "pauses"],
        Kind::WentOn => ["went on", "went on"],
        Kind::Skipped => ["update or episode left out", "updates or episodes left out"],
        Kind::RolledBack => ["went back to a checkpoint", "went back to checkpoints"],
        Kind::Damaged => ["damage found", "times damage found"],
        Kind::Restarted => ["restart", "restarts"],
        Kind::GaveUp => ["not restarted any more", "not restarted any more"],
        Kind::Stopped => ["stopped when asked", "times stopped when asked"],
        Kind::Done => ["all steps done", "all steps done"],
        Kind::Failed => ["failure", "failures"],
    }
}

/// How often each kind that somebody should know of occurred; empty after a night without incident.
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

/// `2 pauses (14 min 00 s), 1 restart`; `nothing out of the ordinary`.
pub(super) fn in_short(events: &[Event]) -> String {
    let stood: f64 = (0..events.len()).filter_map(|i| stood_still(events, i)).sum();
    let words = counts(events).into_iter().map(|(kind, n)| {
        let long = if kind == Kind::Paused { format!(" ({})", duration(stood)) } else { String::new() };
        format!("{n} {}{long}", name(kind)[usize::from(n > 1)])
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "nothing out of the ordinary".into() } else { words.join(", ") }
}

/// When, at which step, what, why.
pub(super) fn table(events: &[Event]) -> Table {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut i = 0;
    while i < events.len() && rows.len() < MOST {
        let first = &events[i];
        let alike = |e: &&Event| e.event == first.event && e.why == first.why;
        let n = events[i..].iter().take_while(alike).count();
        let [once, _] = name(first.event);
        let what = match (n, stood_still(events, i)) {
            (1, Some(seconds)) => format!("{once}, {}", duration(seconds)),
            (1, None) => once.to_owned(),
            _ => format!("{once}, {n} times, the last one at {}", clock(&events[i + n - 1])),
        };
        rows.push(vec![clock(first), grouped(first.env_steps), what, first.why.clone()]);
        i += n;
    }
    if i < events.len() {
        let more = format!("{} more, in night.jsonl", events.len() - i);
        rows.push(vec![String::new(), String::new(), more, String::new()]);
    }
    Table { head: ["When (UTC)", "Step", "What", "Why"].map(String::from).to_vec(), rows, numbers: false }
}

/// `2026-11-20 03:04:05`: it may be broken in two on a phone.
fn clock(event: &Event) -> String {
    event.at.replacen('T', " ", 1).trim_end_matches('Z').to_owned()
}

/// Seconds from pause `i` to the next event; `None` for what is no pause, or one that still lasts.
fn stood_still(events: &[Event], i: usize) -> Option<f64> {
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
    fn a_night_is_told_in_short_and_at_length() {
        assert_eq!(
            in_short(&[event("01:00:00", Kind::Began, ""), event("02:00:00", Kind::Done, "")]),
            "nothing out of the ordinary"
        );
        let night = [
            event("22:00:00", Kind::Began, "skewfit explore door"),
            event("23:00:00", Kind::Paused, "disk: 12 MB free"),
            event("23:13:20", Kind::WentOn, "disk: 3 GB free"),
            event("23:20:00", Kind::Skipped, "the critic's loss is not finite"),
            event("23:20:01", Kind::Skipped, "the critic's loss is not finite"),
            event("23:20:02", Kind::Skipped, "another"),
            event("23:30:00", Kind::Paused, "asked"),
        ];
        assert_eq!(in_short(&night), "2 pauses (13 min 20 s), 3 updates or episodes left out");
        let told = table(&night);
        let whats: Vec<&str> = told.rows.iter().map(|row| row[2].as_str()).collect();
        let [once, twice] =
            ["update or episode left out", "update or episode left out, 2 times, the last one at 2026-11-20 23:20:01"];
        assert_eq!(whats, ["begun", "pause, 13 min 20 s", "went on", twice, once, "pause"]);
        assert_eq!(told.rows[1], ["2026-11-20 23:00:00", "500", "pause, 13 min 20 s", "disk: 12 MB free"]);
    }

    #[test]
    fn a_wild_night_is_cut_short() {
        let night: Vec<Event> = (0..200).map(|i| event("01:00:00", Kind::Skipped, &i.to_string())).collect();
        let told = table(&night);
        assert_eq!((told.rows.len(), told.rows[MOST][2].as_str()), (MOST + 1, "140 more, in night.jsonl"));
    }
}
