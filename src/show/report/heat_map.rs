//! Heat maps of visited states over two axes. The colour of a cell is log n / log n_max of its n visits (viridis), grey for n = 0.

use skewfit_envs::{EnvSpec, GridAxis};

use super::{
    canvas::{Anchor, Bounds, Canvas, INK, SOFT, text_width},
    panel::{HEADING, SMALL, number, tick_step, ticks},
    viridis::{UNSEEN, color_bar, shade},
};

/// Visited states, projected on two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    /// Horizontal, vertical axis: binning and extent; `state` is not used.
    pub axes: [GridAxis; 2],
    /// Their names with units, see [`axis_name`].
    pub names: [String; 2],
    /// (horizontal, vertical), one per exploration step, in order.
    pub visited: Vec<[f64; 2]>,
    /// States of the evaluation goals; may be empty.
    pub goals: Vec<[f64; 2]>,
}

/// `hand_x` in metres -> `hand x (m)`.
#[must_use]
pub fn axis_name(spec: &EnvSpec, axis: &GridAxis) -> String {
    let name = spec.counted_names().get(axis.state).map_or_else(|| "state".into(), |n| n.replace('_', " "));
    match spec.state_units.get(axis.state) {
        Some(unit) if !unit.is_empty() => format!("{name} ({unit})"),
        _ => name,
    }
}

/// Time windows in [`over_time`].
const WINDOWS: usize = 6;

/// One map of the whole run with the evaluation goals; `None` if nothing was visited or an axis is empty.
pub(super) fn whole(states: &States) -> Option<Canvas> {
    let counts = states.count(&states.visited)?;
    let most = counts.iter().copied().max()?;
    let (width, height) = states.map_size(400.0);
    let mut canvas = Canvas::new(MARGIN.0 + width + 110.0, MARGIN.1 + height + 42.0);
    let at = Bounds { x: MARGIN.0, y: MARGIN.1, width, height };
    let heading = format!("States visited in {} steps", number(states.visited.len() as f64, 0.0));
    states.map(&mut canvas, at, &counts, most);
    canvas.text((8.0, 20.0), heading, HEADING, INK, Anchor::Left);
    states.ticks(&mut canvas, at, true, true);
    for goal in &states.goals {
        let [x, y] = [0, 1].map(|i| states.place(i, goal[i]));
        let mark = (at.x + x * width, at.y + (1.0 - y) * height);
        canvas.disc(mark, 4.0, [255; 3]);
        canvas.disc(mark, 2.75, [213, 94, 0]);
    }
    if !states.goals.is_empty() {
        let right = at.x + width;
        let words = "evaluation goals";
        canvas.disc((right - text_width(words, SMALL) - 9.0, at.y - 12.0), 2.75, [213, 94, 0]);
        canvas.text((right, at.y - 8.0), words, SMALL, SOFT, Anchor::Right);
    }
    color_bar(&mut canvas, (at.x + width + 24.0, at.y), height.min(220.0), most);
    Some(canvas)
}

/// Equal time windows of the run, one map each, on one colour scale.
pub(super) fn over_time(states: &States) -> Option<Canvas> {
    let total = states.visited.len();
    let windows = WINDOWS.min(total).max(1);
    let cut = |i: usize| i * total / windows;
    let counts: Option<Vec<_>> = (0..windows).map(|i| states.count(&states.visited[cut(i)..cut(i + 1)])).collect();
    let counts = counts?;
    let most = counts.iter().flatten().copied().max()?;
    let (width, height) = states.map_size(208.0);
    let columns = windows.min(3);
    let rows = windows.div_ceil(columns);
    let (across, down) = (width + 14.0, height + 28.0);
    let right = MARGIN.0 + columns as f64 * across;
    let mut canvas = Canvas::new(right + 84.0, MARGIN.1 + rows as f64 * down + 16.0);
    canvas.text((8.0, 20.0), "States visited, over time", HEADING, INK, Anchor::Left);
    for (i, counts) in counts.iter().enumerate() {
        let (column, row) = (i % columns, i / columns);
        let (x, y) = (MARGIN.0 + column as f64 * across, MARGIN.1 + row as f64 * down);
        let at = Bounds { x, y, width, height };
        states.map(&mut canvas, at, counts, most);
        states.ticks(&mut canvas, at, i + columns >= windows, column == 0);
        let [from, to] = [cut(i), cut(i + 1)].map(|s| number(s as f64, total as f64 / 100.0));
        canvas.text((x + width, y - 8.0), format!("steps {from} to {to}"), SMALL, INK, Anchor::Right);
    }
    color_bar(&mut canvas, (right + 6.0, MARGIN.1), height, most);
    Some(canvas)
}

/// Time windows of the longest run in [`side_by_side`].
const COLUMNS: usize = 4;

/// A row of maps for each run, all on one colour scale and over the same windows of steps. Runs whose axes differ from the
/// first run's are left out. `None` if nothing was visited.
pub(super) fn side_by_side(runs: &[(String, &States)]) -> Option<Canvas> {
    let first = runs.first()?.1;
    let runs: Vec<_> = runs.iter().filter(|(_, s)| s.axes == first.axes && s.names == first.names).collect();
    let total = runs.iter().map(|(_, s)| s.visited.len()).max()?.max(1);
    let windows = COLUMNS.min(total);
    let cut = |i: usize| i * total / windows;
    let window =
        |s: &States, i: usize| s.count(&s.visited[cut(i).min(s.visited.len())..cut(i + 1).min(s.visited.len())]);
    let counts: Vec<Vec<_>> = runs.iter().map(|(_, s)| (0..windows).map(|i| window(s, i)).collect()).collect();
    let most = counts.iter().flatten().flatten().flatten().copied().max()?;
    let (width, height) = first.map_size(146.0);
    let (across, down) = (width + 22.0, height + 24.0);
    let right = MARGIN.0 + windows as f64 * across;
    let mut canvas = Canvas::new(right + 84.0, MARGIN.1 + 20.0 + runs.len() as f64 * down + 22.0);
    canvas.text((8.0, 20.0), "States visited, over time", HEADING, INK, Anchor::Left);
    for (row, ((label, states), counts)) in runs.iter().zip(&counts).enumerate() {
        let y = MARGIN.1 + 20.0 + row as f64 * down;
        canvas.text((right - 22.0, y - 8.0), label.as_str(), SMALL, INK, Anchor::Right);
        for (i, counts) in counts.iter().enumerate() {
            let x = MARGIN.0 + i as f64 * across;
            if row == 0 {
                let [from, to] = [cut(i), cut(i + 1)].map(|s| number(s as f64, total as f64 / 100.0));
                canvas.text((x + width / 2.0, y - 24.0), format!("steps {from} to {to}"), SMALL, INK, Anchor::Middle);
            }
            let Some(counts) = counts else { continue };
            let at = Bounds { x, y, width, height };
            states.map(&mut canvas, at, counts, most);
            states.ticks(&mut canvas, at, row + 1 == runs.len(), i == 0);
        }
    }
    color_bar(&mut canvas, (right + 6.0, MARGIN.1 + 20.0), height, most);
    Some(canvas)
}

/// Left and top margin, for ticks and headings.
const MARGIN: (f64, f64) = (48.0, 48.0);

impl States {
    /// Visits of each cell, (vertical, horizontal), lowest row first; non-finite states are not counted.
    fn count(&self, visited: &[[f64; 2]]) -> Option<Vec<u32>> {
        let [across, up] = &self.axes;
        let sound = |a: &GridAxis| (1..=1000).contains(&a.cells) && a.high > a.low;
        if !sound(across) || !sound(up) || visited.is_empty() {
            return None;
        }
        let mut counts = vec![0; across.cells * up.cells];
        for [x, y] in visited.iter().filter(|v| v.iter().all(|v| v.is_finite())) {
            counts[up.bin(*y) * across.cells + across.bin(*x)] += 1;
        }
        Some(counts)
    }

    /// (width, height): `side`, and a height true to scale if both axes have the same unit and similar extents.
    fn map_size(&self, side: f64) -> (f64, f64) {
        let unit = |name: &str| name.rsplit_once(" (").map(|(_, unit)| unit.to_owned());
        let ratio = (self.axes[1].high - self.axes[1].low) / (self.axes[0].high - self.axes[0].low);
        let same = unit(&self.names[0]) == unit(&self.names[1]) && (0.4..=1.6).contains(&ratio);
        (side, if same { (side * ratio).round() } else { (side * 0.8).round() })
    }

    /// Position of a value along axis `i`, in [0, 1].
    fn place(&self, i: usize, value: f64) -> f64 {
        let axis = &self.axes[i];
        ((value - axis.low) / (axis.high - axis.low)).clamp(0.0, 1.0)
    }

    /// Draws the cells; `most` is the number of visits of the brightest colour.
    fn map(&self, canvas: &mut Canvas, at: Bounds, counts: &[u32], most: u32) {
        let Bounds { x, y, width, height } = at;
        let [across, up] = [&self.axes[0], &self.axes[1]].map(|a| a.cells);
        let (dx, dy) = (width / across as f64, height / up as f64);
        canvas.rect((x, y), (x + width, y + height), UNSEEN);
        for (cell, visits) in counts.iter().enumerate().filter(|(_, visits)| **visits > 0) {
            let (left, bottom) = (x + (cell % across) as f64 * dx, y + height - (cell / across) as f64 * dy);
            canvas.rect((left, bottom - dy), (left + dx, bottom), shade(*visits, most));
        }
    }

    /// Draws ticks and axis names `below` and at the `left`, as requested.
    fn ticks(&self, canvas: &mut Canvas, at: Bounds, below: bool, left: bool) {
        let Bounds { x, y, width, height } = at;
        let steps = [0, 1].map(|i| tick_step(self.axes[i].high - self.axes[i].low, 4));
        if below {
            for tick in ticks(self.axes[0].low, self.axes[0].high, steps[0]) {
                let place = x + self.place(0, tick) * width;
                canvas.line(vec![(place, y + height), (place, y + height + 4.0)], 0.75, SOFT);
                canvas.text((place, y + height + 15.0), number(tick, steps[0]), SMALL, SOFT, Anchor::Middle);
            }
            canvas.text((x + width / 2.0, y + height + 31.0), self.names[0].as_str(), SMALL + 1.0, INK, Anchor::Middle);
        }
        if left {
            for tick in ticks(self.axes[1].low, self.axes[1].high, steps[1]) {
                let place = y + (1.0 - self.place(1, tick)) * height;
                canvas.line(vec![(x - 4.0, place), (x, place)], 0.75, SOFT);
                canvas.text((x - 7.0, place + 4.0), number(tick, steps[1]), SMALL, SOFT, Anchor::Right);
            }
            canvas.text((8.0, y - 8.0), self.names[1].as_str(), SMALL + 1.0, INK, Anchor::Left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::Rgb;
    use super::super::viridis::{VIRIDIS, viridis};
    use super::*;

    #[test]
    fn cells_are_counted_from_the_lower_left_and_coloured_by_log_visits() {
        let axis = |cells| GridAxis { state: 0, low: 0.0, high: 1.0, cells };
        let mut visited = vec![[0.9, 0.1]; 10];
        visited.extend([[0.1, 0.9], [f64::NAN, 0.5]].into_iter().chain([[7.0, 2.0]; 100]));
        let states = States { axes: [axis(2), axis(3)], names: Default::default(), visited, goals: vec![] };
        assert_eq!(states.count(&states.visited).unwrap(), [0, 10, 0, 0, 1, 100]);
        assert_eq!([1, 10, 100].map(|n| shade(n, 100)), [VIRIDIS[0], VIRIDIS[4], VIRIDIS[8]]);
        let light = |c: Rgb| 0.2126 * f64::from(c[0]) + 0.7152 * f64::from(c[1]) + 0.0722 * f64::from(c[2]);
        assert!((0..100).all(|i| light(viridis(f64::from(i + 1) / 100.0)) >= light(viridis(f64::from(i) / 100.0))));
    }

    #[test]
    fn an_axis_is_named_with_its_unit() {
        let spec = EnvSpec {
            name: "door".into(),
            image_size: 48,
            proprio_dim: 0,
            action_dim: 3,
            control_period_s: 0.1,
            state_names: vec!["hand_x".into(), "y".into()],
            state_units: vec!["m".into(), "".into()],
            proprio_names: Vec::new(),
        };
        let name = |state| axis_name(&spec, &GridAxis { state, low: 0.0, high: 1.0, cells: 2 });
        assert_eq!([0, 1, 2].map(name), ["hand x (m)", "y", "state"]);
    }
}
