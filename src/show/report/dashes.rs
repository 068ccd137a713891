//! Cuts a line into dashes.

use super::geometry::CanvasPoint;

/// The strokes of a dashed line; `lengths` alternates strokes and gaps along the line.
pub(super) fn strokes(points: &[CanvasPoint], lengths: &[f64]) -> Vec<Vec<CanvasPoint>> {
    let (mut strokes, mut k) = (vec![points.iter().take(1).copied().collect::<Vec<_>>()], 0);
    let mut left = lengths[0];
    for pair in points.windows(2) {
        let ((mut x, mut y), (to_x, to_y)) = (pair[0], pair[1]);
        loop {
            let rest = (to_x - x).hypot(to_y - y);
            let part = if rest > left { left / rest } else { 1.0 };
            (x, y) = (x + part * (to_x - x), y + part * (to_y - y));
            if let Some(stroke) = strokes.last_mut().filter(|_| k % 2 == 0) {
                stroke.push((x, y));
            }
            if rest <= left {
                left -= rest;
                break;
            }
            k += 1;
            left = lengths[k % lengths.len()];
            if k % 2 == 0 {
                strokes.push(vec![(x, y)]);
            }
        }
    }
    strokes
}

#[cfg(test)]
mod tests {
    use super::strokes;

    #[test]
    fn dashes_go_round_corners_with_their_lengths() {
        let corner = [(0.0, 0.0), (5.0, 0.0), (5.0, 6.0)];
        let want =
            [vec![(0.0, 0.0), (3.0, 0.0)], vec![(4.0, 0.0), (5.0, 0.0), (5.0, 2.0)], vec![(5.0, 3.0), (5.0, 6.0)]];
        assert_eq!(strokes(&corner, &[3.0, 1.0]), want);
        assert_eq!(strokes(&[], &[3.0, 1.0]), [vec![]]);
    }
}
