//! Progress on stderr: one live line on a terminal, else one plain line a minute.

use crate::figures::{duration, grouped};
use crate::progress::{Progress, Tick};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};

/// Seconds between plain lines.
const PLAIN_EVERY_S: f64 = 60.0;
/// The rate is of the last one to two of these, seconds: phases of a run differ.
const RATE_OVER_S: f64 = 60.0;

/// The rate of steps over the recent past.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    from: Option<(f64, u64)>,
    next: Option<(f64, u64)>,
}

impl Rate {
    /// Steps a second up to this tick; `None` before there is anything to compare with.
    fn update(&mut self, tick: &Tick<'_>) -> Option<f64> {
        let now = (tick.elapsed_s, tick.env_steps);
        let next = *self.next.get_or_insert(now);
        let from = *self.from.get_or_insert(now);
        if now.0 - next.0 >= RATE_OVER_S {
            (self.from, self.next) = (Some(next), Some(now));
        }
        let rate = now.1.saturating_sub(from.1) as f64 / (now.0 - from.0);
        (rate.is_finite() && rate > 0.0).then_some(rate)
    }
}

/// Shows a run's progress.
pub struct Shown {
    bar: Option<ProgressBar>,
    rate: Rate,
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
        Self { bar, rate: Rate::default(), last_line_s: f64::NEG_INFINITY }
    }
}

impl Progress for Shown {
    fn tick(&mut self, tick: &Tick<'_>) {
        let rate = self.rate.update(tick);
        if let Some(bar) = &self.bar {
            bar.set_length(tick.steps_total);
            bar.set_position(tick.env_steps);
            bar.set_message(line(tick, rate));
        } else if tick.elapsed_s - self.last_line_s >= PLAIN_EVERY_S {
            self.last_line_s = tick.elapsed_s;
            let _ = writeln!(std::io::stderr(), "{}", line(tick, rate)); // nobody listens
        }
    }

    fn done(&mut self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}

/// `12,000/30,000 steps · 41 % covered · angle_error_rad 0.1200 · 9.8 steps/s · 31 min 12 s left · learning`.
fn line(tick: &Tick<'_>, rate: Option<f64>) -> String {
    let mut parts = vec![format!("{}/{} steps", grouped(tick.env_steps), grouped(tick.steps_total))];
    if let Some(percent) = (100 * tick.coverage_cells).checked_div(tick.coverage_total) {
        parts.push(format!("{percent} % covered"));
    }
    if let Some((name, value)) = &tick.evaluation {
        parts.push(format!("{name} {value:.4}"));
    }
    if let Some(rate) = rate {
        let left = tick.steps_total.saturating_sub(tick.env_steps) as f64 / rate;
        parts.push(format!("{rate:.1} steps/s"));
        parts.push(format!("{} left", duration(left)));
    }
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
            elapsed_s,
        }
    }

    #[test]
    fn a_line_tells_steps_coverage_figure_rate_and_time_left() {
        let text = line(&tick(12_000, 0.0), Some(10.0));
        assert_eq!(
            text,
            "12,000/20,000 steps · 25 % covered · distance 0.2500 · 10.0 steps/s · 13 min 20 s left · learning"
        );
        let bare = Tick { coverage_total: 0, evaluation: None, ..tick(5, 0.0) };
        assert_eq!(line(&bare, None), "5/20,000 steps · learning");
    }

    #[test]
    fn the_rate_forgets_the_warm_up() {
        let mut rate = Rate::default();
        assert_eq!(rate.update(&tick(0, 0.0)), None);
        assert_eq!(rate.update(&tick(1000, 10.0)), Some(100.0));
        let late = (1..=300).map(|s| rate.update(&tick(1000 + 2 * s, 10.0 + s as f64))).last().unwrap().unwrap();
        assert!((late - 2.0).abs() < 1e-9, "{late}");
    }
}
