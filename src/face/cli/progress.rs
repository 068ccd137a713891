//! Progress on stderr: one live line on a terminal, never wider than it; otherwise one plain line a minute.

use crate::format::{duration, grouped};
use crate::run::progress::{Progress, Tick};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};

/// Columns of a terminal whose width is unknown.
const COLUMNS: usize = 80;
/// Width of the bar, if there is room for it beside the text.
const BAR: usize = 20;
/// Seconds between plain lines.
const PLAIN_EVERY_S: f64 = 60.0;
/// The time left comes from the mean of this many last epochs: the warm-up is faster, and epochs change as replay grows.
const EPOCHS_AVERAGED: usize = 3;

/// The current duration of an epoch.
#[derive(Clone, Debug, Default)]
struct Pace {
    /// Seconds of the last complete epochs, the newest last.
    took_s: Vec<f64>,
    /// Epoch of the last tick.
    epoch: Option<u64>,
    /// Time when the current epoch began; `None` if unknown, as after a resume in the middle of an epoch.
    began_s: Option<f64>,
    /// True after the first tick.
    seen: bool,
}

impl Pace {
    /// Seconds left after this tick; `None` before the first complete epoch.
    fn update(&mut self, tick: &Tick<'_>) -> Option<f64> {
        if self.seen && tick.epoch != self.epoch {
            if let (Some(began), Some(_)) = (self.began_s, self.epoch) {
                self.took_s.push(tick.elapsed_s - began);
                self.took_s.drain(..self.took_s.len().saturating_sub(EPOCHS_AVERAGED));
            }
            self.began_s = Some(tick.elapsed_s);
        }
        (self.epoch, self.seen) = (tick.epoch, true);
        let epochs = tick.epochs.saturating_sub(tick.epoch?) as f64;
        let took = self.took_s.iter().sum::<f64>() / self.took_s.len() as f64; // NaN before the first epoch
        let spent = (tick.elapsed_s - self.began_s?).min(took);
        (took.is_finite()).then_some((epochs * took - spent).max(0.0))
    }
}

/// Shows a run's progress on stderr.
pub struct TerminalProgress {
    bar: Option<ProgressBar>,
    pace: Pace,
    last_line_s: f64,
}

impl TerminalProgress {
    /// Shows progress on this process's stderr.
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(1));
        Self { bar, pace: Pace::default(), last_line_s: f64::NEG_INFINITY }
    }
}

impl Progress for TerminalProgress {
    fn tick(&mut self, tick: &Tick<'_>) {
        let left_s = self.pace.update(tick);
        if let Some(bar) = &self.bar {
            let columns = columns();
            let text = line(tick, left_s, columns - 1);
            let beside = text.chars().count() + 1 + BAR < columns;
            let template = if beside { format!("{{bar:{BAR}}} {{wide_msg}}") } else { "{wide_msg}".into() };
            bar.set_style(ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_length(tick.steps_total);
            bar.set_position(tick.env_steps);
            bar.set_message(text);
        } else if tick.elapsed_s - self.last_line_s >= PLAIN_EVERY_S {
            self.last_line_s = tick.elapsed_s;
            let _ = writeln!(std::io::stderr(), "{}", line(tick, left_s, usize::MAX)); // stderr may be closed
        }
    }

    fn done(&mut self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}

/// Columns of the terminal, at least 2.
fn columns() -> usize {
    let columns = rustix::termios::tcgetwinsize(std::io::stderr()).map_or(0, |size| usize::from(size.ws_col));
    if columns == 0 { COLUMNS } else { columns.max(2) }
}

/// `12,000/30,000 steps · 31 min 12 s left · angle_error_rad 0.120 · 41 % covered · learning`, the last ones left out where
/// there is no room for them.
fn line(tick: &Tick<'_>, left_s: Option<f64>, columns: usize) -> String {
    let mut line = format!("{}/{} steps", grouped(tick.env_steps), grouped(tick.steps_total));
    let left = left_s.map(|left| format!("{} left", duration(left)));
    let figure = tick.evaluation.as_ref().map(|(name, value)| format!("{name} {value:.3}"));
    let percent = (100 * tick.coverage_cells).checked_div(tick.coverage_total);
    let covered = percent.map(|percent| format!("{percent} % covered"));
    for part in [left, figure, covered, Some(tick.phase.to_owned())].into_iter().flatten() {
        if line.chars().count() + 3 + part.chars().count() <= columns {
            line = format!("{line} · {part}");
        }
    }
    line.chars().take(columns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tick(env_steps: u64, elapsed_s: f64) -> Tick<'static> {
        let evaluation = Some(("distance".into(), 0.25));
        Tick {
            env_steps,
            steps_total: 20_000,
            coverage_cells: 9,
            coverage_total: 36,
            evaluation,
            phase: "learning",
            epoch: None,
            epochs: 10,
            elapsed_s,
        }
    }

    #[test]
    fn a_line_shows_steps_coverage_metric_and_time_left() {
        let text = line(&tick(12_000, 0.0), Some(800.0), 81);
        assert_eq!(text, "12,000/20,000 steps · 13 min 20 s left · distance 0.250 · 25 % covered · learning");
        let bare = Tick { coverage_total: 0, evaluation: None, ..tick(5, 0.0) };
        assert_eq!(line(&bare, None, 80), "5/20,000 steps · learning");
    }

    #[test]
    fn a_line_is_never_wider_than_its_terminal_and_keeps_what_matters() {
        let long = Tick {
            env_steps: 123_000,
            steps_total: 385_000,
            evaluation: Some(("angle_error_rad".into(), 0.1234)),
            phase: "reading episodes",
            ..tick(0, 0.0)
        };
        let at = |columns| line(&long, Some(45_060.0), columns);
        for columns in 0..120 {
            assert!(at(columns).chars().count() <= columns, "{columns}: {}", at(columns));
        }
        let kept = "123,000/385,000 steps · 12 h 31 min left · angle_error_rad 0.123";
        assert_eq!(at(79), format!("{kept} · 25 % covered"));
        assert_eq!(at(120), format!("{kept} · 25 % covered · reading episodes"));
        assert_eq!(at(40), "123,000/385,000 steps · 12 h 31 min left");
        assert_eq!(at(12), "123,000/385,");
    }

    #[test]
    fn the_time_left_follows_the_last_epochs() {
        let mut pace = Pace::default();
        let mut at = |epoch: Option<u64>, elapsed_s: f64| pace.update(&Tick { epoch, ..tick(0, elapsed_s) });
        // No estimate from a warm-up of 2,000 steps in 5 s, nor from an incomplete epoch.
        assert_eq!([at(None, 0.0), at(None, 5.0), at(Some(0), 6.0), at(Some(0), 45.0)], [None; 4]);
        // The first epoch took 40 s, so nine more take 360 s; then 10 s pass.
        assert_eq!([at(Some(1), 46.0), at(Some(1), 56.0)], [Some(360.0), Some(350.0)]);
        // The next epochs take 60, 80 and 100 s; the first counts until there are three newer ones.
        assert_eq!(at(Some(2), 106.0), Some(8.0 * 50.0));
        assert_eq!([at(Some(3), 186.0), at(Some(4), 286.0)], [Some(7.0 * 60.0), Some(6.0 * 80.0)]);
        // An epoch that takes longer than those before it: the time of the remaining epochs is left.
        assert_eq!(at(Some(4), 999.0), Some(5.0 * 80.0));
        assert_eq!(at(Some(10), 1000.0), Some(0.0));
    }

    #[test]
    fn an_epoch_resumed_in_the_middle_is_not_timed() {
        let mut pace = Pace::default();
        let mut at = |epoch: u64, elapsed_s: f64| pace.update(&Tick { epoch: Some(epoch), ..tick(0, elapsed_s) });
        assert_eq!([at(7, 0.0), at(7, 3.0), at(8, 4.0)], [None; 3]);
        assert_eq!(at(9, 34.0), Some(30.0));
    }
}
