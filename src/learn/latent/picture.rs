//! Converts the bytes of a picture to and from the model's numbers: pixels, or cells of 3 x 3 pixels.

/// Pictures (H, W, 3) u8 as floats in [0, 1], by division, because the compiler vectorises divisions but not table look-ups.
pub fn pixels_of_picture(picture: &[u8], out: &mut [f32]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || out.iter_mut().zip(picture).for_each(|(p, byte)| *p = f32::from(*byte) / 255.0),
    );
}

/// The value in [0, 1] of each byte of a picture.
pub const UNIT: [f32; 256] = {
    let (mut unit, mut code) = ([0.0; 256], 0);
    while code < 256 {
        unit[code] = code as f32 / 255.0;
        code += 1;
    }
    unit
};

/// Cuts a picture (H, W, 3) u8 into cells of 3 x 3 pixels with values in [0, 1]: `side` = H / 3 cells per line. Of `out`
/// (side, pitch, floats), the first `side` cells of each line and the first 27 floats of each cell are written.
pub fn cells_of_picture(picture: &[u8], side: usize, pitch: usize, floats: usize, out: &mut [f32]) {
    for (y, row) in picture.chunks_exact(side * 9).enumerate() {
        let (i, r) = (y / 3, y % 3);
        for (j, nine) in row.chunks_exact(9).enumerate() {
            let cell = &mut out[(i * pitch + j) * floats + r * 9..][..9];
            cell.iter_mut().zip(nine).for_each(|(c, byte)| *c = UNIT[usize::from(*byte)]);
        }
    }
}

/// The inverse of [`cells_of_picture`], from lines of `pitch` cells; rounds to the nearest byte, clamped to [0, 255].
pub fn picture_of_cells(cells: &[f32], side: usize, pitch: usize, picture: &mut [u8]) {
    for (y, row) in picture.chunks_exact_mut(side * 9).enumerate() {
        let (i, r) = (y / 3, y % 3);
        for (j, nine) in row.chunks_exact_mut(9).enumerate() {
            let cell = &cells[(i * pitch + j) * 27 + r * 9..][..9];
            nine.iter_mut().zip(cell).for_each(|(byte, c)| *byte = (c * 255.0 + 0.5) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_27_every_byte_survives_the_round_trip() {
        let picture: Vec<u8> = (0..24 * 24 * 3).map(|i| (i * 7 % 256) as u8).collect();
        let (mut cells, mut back) = (vec![0.0; 64 * 27], vec![0; picture.len()]);
        cells_of_picture(&picture, 8, 8, 27, &mut cells);
        picture_of_cells(&cells, 8, 8, &mut back);
        assert_eq!(picture, back);
    }
}
