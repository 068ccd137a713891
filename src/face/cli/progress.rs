//! Progress on stderr: one live line on a terminal, else one plain line a minute.

use crate::format::{duration, grouped};
use crate::run::progress::{Progress, Tick};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};

/// Seconds between plain lines.
const PLAIN_EVERY_S: f64 = 60.0;
/// The time left goes by the mean of so many epochs, the last ones: the warm-up is fast, and epochs change as replay grows.
const EPOCHS_AVERAGED: usize = 3;

/// How long an epoch takes now.
#[derive(Clone, Debug, Default)]
struct Pace {
    /// Seconds of each of the last whole epochs, the newest last.
    took_s: Vec<f64>,
    /// The last tick's epoch.
    epoch: Option<u64>,
    /// When the epoch under way began; `None` where that was not seen (a run that is taken up in the middle of one).
    began_s: Option<f64>,
    /// Whether there was a tick before.
    seen: bool,
}

impl Pace {
    /// Seconds left after this tick; `None` before an epoch was seen whole.
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
        let took = self.took_s.iter().sum::<f64>() / self.took_s.len() as f64; // NaN without any
        let spent = (tick.elapsed_s - self.began_s?).min(took);
        (took.is_finite()).then_some((epochs * took - spent).max(0.0))
    }
}

/// Shows a run's progress.
pub struct Shown {
    bar: Option<ProgressBar>,
    pace: Pace,
    last_line_s: f64,
}

impl Shown {
    /// On this process's stderr.
    pub fn new() -> Self {
        let live = || {
            let style = ProgressStyle::with_template("{bar:20} {msg}");
            ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        };
        let bar = std::io::stderr().is_terminal().then(live);
        Self { bar, pace: Pace::default(), last_line_s: f64::NEG_INFINITY }
    }
}

impl Progress for Shown {
    fn tick(&mut self, tick: &Tick<'_>) {
        let left_s = self.pace.update(tick);
        if let Some(bar) = &self.bar {
            bar.set_length(tick.steps_total);
            bar.set_position(tick.env_steps);
            bar.set_message(line(tick, left_s));
        } else if tick.elapsed_s - self.last_line_s >= PLAIN_EVERY_S {
            self.last_line_s = tick.elapsed_s;
            let _ = writeln!(std::io::stderr(), "{}", line(tick, left_s)); // nobody listens
        }
    }

    fn done(&mut self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}

/// `12,000/30,000 steps · 41 % covered · angle_error_rad 0.1200 · 31 min 12 s left · learning`.
fn line(tick: &Tick<'_>, left_s: Option<f64>) -> String {
    let mut parts = vec![format!("{}/{} steps", grouped(tick.env_steps), grouped(tick.steps_total))];
    if let Some(percent) = (100 * tick.coverage_cells).checked_div(tick.coverage_total) {
        parts.push(format!("{percent} % covered"));
    }
    if let Some((name, value)) = &tick.evaluation {
        parts.push(format!("{name} {value:.4}"));
    }
    parts.extend(left_s.map(|left| format!("{} left", duration(left))));
    parts.push(tick.phase.to_owned());
    parts.join(" · ")
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
    fn a_line_tells_steps_coverage_figure_and_time_left() {
        let text = line(&tick(12_000, 0.0), Some(800.0));
        assert_eq!(text, "12,000/20,000 steps · 25 % covered · distance 0.2500 · 13 min 20 s left · learning");
        let bare = Tick { coverage_total: 0, evaluation: None, ..tick(5, 0.0) };
        assert_eq!(line(&bare, None), "5/20,000 steps · learning");
    }

    #[test]
    fn the_time_left_is_that_of_the_epochs_as_they_are_now() {
        let mut pace = Pace::default();
        let mut at = |epoch: Option<u64>, elapsed_s: f64| pace.update(&Tick { epoch, ..tick(0, elapsed_s) });
        // A warm-up of 2,000 steps in 5 s promises nothing; nor does an epoch that is not over.
        assert_eq!([at(None, 0.0), at(None, 5.0), at(Some(0), 6.0), at(Some(0), 45.0)], [None; 4]);
        // It took 40 s, so nine more take 360 s, of which 10 s go by.
        assert_eq!([at(Some(1), 46.0), at(Some(1), 56.0)], [Some(360.0), Some(350.0)]);
        // 60, 80, 100 s: the first one counts until three newer ones are there.
        assert_eq!(at(Some(2), 106.0), Some(8.0 * 50.0));
        assert_eq!([at(Some(3), 186.0), at(Some(4), 286.0)], [Some(7.0 * 60.0), Some(6.0 * 80.0)]);
        // One that takes longer than those before it has at least the others left.
        assert_eq!(at(Some(4), 999.0), Some(5.0 * 80.0));
        assert_eq!(at(Some(10), 1000.0), Some(0.0));
    }

    #[test]
    fn an_epoch_taken_up_in_the_middle_is_not_timed() {
        let mut pace = Pace::default();
        let mut at = |epoch: u64, elapsed_s: f64| pace.update(&Tick { epoch: Some(epoch), ..tick(0, elapsed_s) });
        assert_eq!([at(7, 0.0), at(7, 3.0), at(8, 4.0)], [None; 3]);
        assert_eq!(at(9, 34.0), Some(30.0));
    }
}
