//! Walls of the point2d family: boxes enlarged by the ball's radius, so the ball counts as a point.
//!
//! Shapes and collision rule as in the `Point2DWallEnv` of `multiworld`, with its inner distance 1.

use super::plane::PlanePoint;
use crate::EnvFault;

/// Radius of the ball, world units.
pub(super) const BALL_RADIUS: f64 = 0.5;

/// Distance from a wall at which the ball stops.
const REST: f64 = 0.01;

/// The middle line of a wall along one axis, from its bottom or left end to the other end.
type Line = [PlanePoint; 2];

/// One arrangement of walls, with the name that users write.
#[derive(Debug)]
pub(super) struct Variant {
    pub name: &'static str,
    /// Start of every episode; `None`: uniform outside of the walls.
    pub start: Option<PlanePoint>,
    /// Half thickness of every wall.
    thickness: f64,
    lines: &'static [Line],
}

const BAR: Line = [[-1.0, 1.0], [1.0, 1.0]];
const LONG_BAR: Line = [[-2.0, 1.0], [2.0, 1.0]];
const U: &[Line] = &[[[1.0, -1.0], [1.0, 1.0]], [[-1.0, -1.0], [-1.0, 1.0]], BAR];
const BIG_U: &[Line] = &[[[2.0, -2.0], [2.0, 1.0]], [[-2.0, -2.0], [-2.0, 1.0]], LONG_BAR];
const EASY_U: &[Line] = &[[[2.0, -0.5], [2.0, 1.0]], [[-2.0, -0.5], [-2.0, 1.0]], LONG_BAR];
const BELOW: Option<PlanePoint> = Some([0.0, -2.0]);

const VARIANTS: &[Variant] = &[
    Variant { name: "none", start: None, thickness: 0.0, lines: &[] },
    Variant { name: "box", start: None, thickness: 2.0, lines: &[[[0.0, 0.0], [0.0, 0.0]]] },
    Variant { name: "-", start: None, thickness: 0.0, lines: &[BAR] },
    Variant { name: "h", start: None, thickness: 0.0, lines: &[BAR] },
    Variant { name: "--", start: None, thickness: 0.0, lines: &[[[-1.0, 0.0], [1.0, 0.0]]] },
    Variant { name: "---", start: BELOW, thickness: 0.5, lines: &[[[-2.0, 0.0], [2.0, 0.0]]] },
    Variant { name: "big-h", start: None, thickness: 0.0, lines: &[LONG_BAR] },
    Variant { name: "u", start: BELOW, thickness: 0.0, lines: U },
    Variant { name: "big-u", start: BELOW, thickness: 0.5, lines: BIG_U },
    Variant { name: "easy-u", start: BELOW, thickness: 0.5, lines: EASY_U },
];

/// Names that [`Variant::find`] accepts.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VARIANTS.iter().map(|v| v.name)
}

impl Variant {
    /// The variant of that name.
    ///
    /// # Errors
    /// `BadOption` with the nearest names.
    pub fn find(name: &str) -> Result<&'static Self, EnvFault> {
        VARIANTS.iter().find(|v| v.name == name).ok_or_else(|| {
            let mut near = names().collect::<Vec<_>>();
            near.sort_by_key(|known| edits(known, name));
            let near = near.iter().take(2).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
            EnvFault::BadOption { what: format!("point2d has no walls `{name}`; the nearest are {near}") }
        })
    }

    /// The boxes that the ball's centre cannot enter.
    pub fn walls(&self) -> Vec<Wall> {
        self.lines.iter().map(|line| Wall::around(line, BALL_RADIUS + self.thickness)).collect()
    }

    /// The boxes as drawn: a wall without thickness is a thin line.
    pub fn drawn(&self) -> Vec<Wall> {
        self.lines.iter().map(|line| Wall::around(line, self.thickness.max(0.1))).collect()
    }
}

/// An open box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wall {
    pub low: PlanePoint,
    pub high: PlanePoint,
}

impl Wall {
    fn around([low, high]: &Line, margin: f64) -> Self {
        Self { low: low.map(|v| v - margin), high: high.map(|v| v + margin) }
    }

    /// End of a step from `from` to `to`: a coordinate that meets a side from outside stops `REST` before it.
    ///
    /// Collisions are checked with the box spanned by the two points, not with the line, so a step never cuts a corner.
    fn stop(&self, from: PlanePoint, to: PlanePoint) -> PlanePoint {
        let meets =
            |axis: usize| from[axis].min(to[axis]) <= self.high[axis] && self.low[axis] <= from[axis].max(to[axis]);
        let mut end = to;
        for (axis, across) in [(1, 0), (0, 1)] {
            if meets(across) && to[axis] <= self.high[axis] && self.high[axis] <= from[axis] {
                end[axis] = self.high[axis] + REST;
            } else if meets(across) && from[axis] <= self.low[axis] && self.low[axis] <= to[axis] {
                end[axis] = self.low[axis] - REST;
            }
        }
        end
    }
}

/// True if a ball at `p` is inside of a wall.
pub(super) fn blocked(walls: &[Wall], p: PlanePoint) -> bool {
    let within = |w: &Wall, axis: usize| w.low[axis] < p[axis] && p[axis] < w.high[axis];
    walls.iter().any(|w| within(w, 0) && within(w, 1))
}

/// End of a step among all walls. The walls are applied one after the other; if that changed both coordinates, they are
/// applied in reverse order instead (two walls stopped the ball, and one alone may be enough).
pub(super) fn slide(walls: &[Wall], from: PlanePoint, to: PlanePoint) -> PlanePoint {
    let end = walls.iter().fold(to, |end, w| w.stop(from, end));
    if end[0] != to[0] && end[1] != to[1] {
        return walls.iter().rev().fold(to, |end, w| w.stop(from, end));
    }
    end
}

/// Levenshtein distance.
fn edits(a: &str, b: &str) -> usize {
    let mut row = (0..=b.chars().count()).collect::<Vec<_>>();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.chars().enumerate() {
            let best = (diagonal + usize::from(ca != cb)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// True if the line from `a` to `b` passes through the open box (slab method).
    fn crosses(w: &Wall, a: PlanePoint, b: PlanePoint) -> bool {
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for axis in 0..2 {
            let move_by = b[axis] - a[axis];
            if move_by == 0.0 {
                if a[axis] <= w.low[axis] || a[axis] >= w.high[axis] {
                    return false;
                }
                continue;
            }
            let (s, t) = ((w.low[axis] - a[axis]) / move_by, (w.high[axis] - a[axis]) / move_by);
            (enter, leave) = (enter.max(s.min(t)), leave.min(s.max(t)));
        }
        enter < leave
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn no_step_crosses_a_wall(
            variant in 0..VARIANTS.len(),
            start in prop::array::uniform2(-4.0..4.0_f64),
            moves in prop::collection::vec(prop::array::uniform2(-1.0..1.0_f64), 40),
        ) {
            let walls = VARIANTS[variant].walls();
            prop_assume!(!blocked(&walls, start));
            let mut at = start;
            for [dx, dy] in moves {
                let next = slide(&walls, at, [at[0] + dx, at[1] + dy]).map(|v| v.clamp(-4.0, 4.0));
                prop_assert!(!blocked(&walls, next), "{next:?} is in a wall");
                prop_assert!(!walls.iter().any(|w| crosses(w, at, next)), "{at:?} -> {next:?}");
                at = next;
            }
        }
    }

    #[test]
    fn a_ball_stops_0_01_before_a_wall_and_slides_along_it() {
        let walls = Variant::find("---").unwrap().walls(); // (-3, -1) to (3, 1)
        for (from, to, end) in [
            ([0.0, -2.0], [0.2, -0.5], [0.2, -1.01]),
            ([0.0, 2.0], [0.0, -2.0], [0.0, 1.01]), // a long step does not jump over the wall
            ([-3.5, 0.0], [-2.5, 0.1], [-3.01, 0.1]),
            ([3.5, 0.0], [2.5, 0.1], [3.01, 0.1]),
            ([-3.5, -1.5], [-2.5, -0.5], [-3.01, -1.01]), // the corner
            ([0.0, -2.0], [0.5, -1.5], [0.5, -1.5]),      // free
        ] {
            assert_eq!(slide(&walls, from, to), end, "{from:?} -> {to:?}");
        }
    }

    /// So the cells of a 20 x 20 grid whose centre is free are those that can be reached.
    #[test]
    fn free_cells_are_connected() {
        let centre = |bin: usize| (bin as f64 + 0.5) * 8.0 / 20.0 - 4.0;
        for variant in VARIANTS {
            let walls = variant.walls();
            let free = |i: usize, j: usize| !blocked(&walls, [centre(i), centre(j)]);
            let (mut seen, mut next) = ([[false; 20]; 20], vec![(0, 0)]);
            while let Some((i, j)) = next.pop() {
                if i < 20 && j < 20 && free(i, j) && !std::mem::replace(&mut seen[i][j], true) {
                    next.extend([(i + 1, j), (i.wrapping_sub(1), j), (i, j + 1), (i, j.wrapping_sub(1))]);
                }
            }
            assert!((0..400).all(|cell| seen[cell / 20][cell % 20] == free(cell / 20, cell % 20)), "{}", variant.name);
        }
    }

    #[test]
    fn two_stopping_walls_are_tried_in_reverse_order() {
        // Forward, the left wall stops x and the lower wall stops y. In reverse, the lower wall alone stops the ball.
        let left = Wall { low: [1.0, 0.5], high: [2.0, 2.0] };
        let lower = Wall { low: [0.0, 0.2], high: [3.0, 0.4] };
        assert_eq!(slide(&[left, lower], [0.9, 0.0], [1.1, 0.6]), [1.1, 0.19]);
    }

    #[test]
    fn an_unknown_wall_name_is_refused_with_the_nearest_names() {
        let message = Variant::find("bigu").unwrap_err().to_string();
        assert_eq!(message, "point2d has no walls `bigu`; the nearest are `big-u`, `big-h`");
        assert_eq!([edits("", "abc"), edits("kitten", "sitting"), edits("u", "u")], [3, 3, 0]);
    }
}
