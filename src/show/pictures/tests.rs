//! Goal pictures of every kind, and files that are refused.

use std::{path::PathBuf, time::Instant};

use image::{ImageBuffer, Luma, Rgba};

use super::*;

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn picture(&self, name: &str, picture: impl Into<DynamicImage>) -> PathBuf {
        let path = self.0.path().join(name);
        picture.into().save(&path).unwrap();
        path
    }

    fn refused(&self, name: &str, bytes: &[u8], why: &str) {
        let error = load_goal(&self.put(name, bytes), 8).unwrap_err();
        assert!(matches!(error, Error::Usage(_)) && error.to_string().contains(name), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

fn noise(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| image::Rgb([x * 37 + y * 101, x * 91 + 5, y * 77].map(|v| v as u8)))
}

fn png([depth, color]: [u8; 2], (width, height): (u32, u32), palette: &[u8], rows: &[u8]) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        let turn = |c: u32, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 };
        !bytes.iter().fold(!0u32, |c, b| (0..8).fold(c ^ u32::from(*b), turn))
    };
    let (a, b) =
        rows.iter().fold((1u32, 0u32), |(a, b), v| ((a + u32::from(*v)) % 65521, (a + b + u32::from(*v)) % 65521));
    let length = rows.len() as u16;
    let zlib = [&[0x78, 1, 1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), rows, &(b << 16 | a).to_be_bytes()]
        .concat();
    let ihdr = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, color, 0, 0, 0]].concat();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", ihdr.as_slice()), (b"PLTE", palette), (b"IDAT", &zlib), (b"IEND", &[])] {
        if name != b"PLTE" || color == 3 {
            let body = [name, data].concat();
            file.extend([&(data.len() as u32).to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat());
        }
    }
    file
}

#[test]
fn a_picture_of_the_right_size_keeps_its_bytes() {
    let desk = Desk::new();
    let image = Image { size: 48, pixels: noise(48, 48).into_raw() };
    let path = desk.0.path().join("goal.png");
    save_png(&image, &path).unwrap();
    assert_eq!(load_goal(&path, 48).unwrap(), image);
    fs::rename(&path, path.with_extension("jpg")).unwrap();
    assert_eq!(load_goal(&path.with_extension("jpg"), 48).unwrap(), image, "content decides, not the name");
    assert!(save_png(&image, Path::new("/nowhere/goal.png")).is_err());
}

#[test]
fn the_middle_square_is_taken_and_areas_are_averaged() {
    let desk = Desk::new();
    let third = |i: u32, n: u32| image::Rgb([[255, 0, 0], [0, 255, 0], [0, 0, 255]][(3 * i / n) as usize]);
    let wide = desk.picture("wide.png", RgbImage::from_fn(90, 30, |x, _| third(x, 90)));
    let tall = desk.picture("tall.png", RgbImage::from_fn(20, 60, |_, y| third(y, 60)));
    for path in [wide, tall] {
        assert_eq!(load_goal(&path, 8).unwrap().pixels, [0, 255, 0].repeat(64));
    }
    let board =
        desk.picture("board.png", RgbImage::from_fn(512, 512, |x, y| image::Rgb([255 * ((x + y) % 2) as u8; 3])));
    assert!(load_goal(&board, 32).unwrap().pixels.iter().all(|v| (126..=129).contains(v)), "no aliasing");
    let dot = desk.picture("dot.png", RgbImage::from_pixel(1, 1, image::Rgb([9, 80, 200])));
    assert_eq!(load_goal(&dot, 8).unwrap().pixels, [9, 80, 200].repeat(64));
}

/// Red above, blue below, as it should be seen; the files hold it turned, and say so.
#[test]
fn a_photo_that_was_taken_on_its_side_is_turned_upright() {
    let desk = Desk::new();
    let seen = RgbImage::from_fn(64, 96, |_, y| image::Rgb(if y < 48 { [250, 0, 0] } else { [0, 0, 250] }));
    let upright = load_goal(&desk.picture("upright.jpg", seen.clone()), 4).unwrap().pixels;
    assert!(upright[0] > 200 && upright[45 + 2] > 200, "{upright:?}");
    for (exif, stored) in [(1, seen.clone()), (6, imageops::rotate270(&seen)), (8, imageops::rotate90(&seen))] {
        let exif = [&b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"[..], &[exif, 0, 0, 0, 0, 0, 0, 0]].concat();
        let mut file = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 95);
        encoder.encode_image(&stored).unwrap();
        let segment = [&[0xFF, 0xE1, 0, 8 + exif.len() as u8][..], b"Exif\0\0", &exif].concat(); // behind the two bytes SOI
        file.splice(2..2, segment);
        let read = load_goal(&desk.put("photo.jpg", &file), 4).unwrap().pixels;
        assert!(read.iter().zip(&upright).all(|(a, b)| a.abs_diff(*b) < 12), "{read:?} {upright:?}");
    }
}

#[test]
fn every_kind_of_pixel_is_read() {
    let desk = Desk::new();
    let pixel = |path: PathBuf| load_goal(&path, 2).unwrap().pixels[..3].to_vec();
    assert_eq!(pixel(desk.picture("grey.png", ImageBuffer::from_pixel(4, 4, Luma([77u8])))), [77; 3]);
    assert_eq!(pixel(desk.picture("grey16.png", ImageBuffer::from_pixel(4, 4, Luma([0xABABu16])))), [0xAB; 3]);
    let deep = ImageBuffer::from_pixel(4, 4, Rgba([0xFFFFu16, 0, 0, 0x8080]));
    assert_eq!(pixel(desk.picture("rgba16.png", deep)), [255, 127, 127]);
    assert_eq!(pixel(desk.picture("clear.png", ImageBuffer::from_pixel(4, 4, Rgba([1u8, 2, 3, 0])))), [255; 3]);
    let half = ImageBuffer::from_pixel(4, 4, Rgba([0u8, 100, 255, 128]));
    assert_eq!(pixel(desk.picture("half.png", half)), [127, 177, 255]);
    let palette = png([8, 3], (2, 2), &[10, 20, 30, 40, 50, 60], &[0, 1, 0, 0, 0, 1]);
    let want = [[40, 50, 60], [10, 20, 30], [10, 20, 30], [40, 50, 60]].concat();
    assert_eq!(load_goal(&desk.put("palette.png", &palette), 2).unwrap().pixels, want);
    let red = RgbImage::from_pixel(8, 8, image::Rgb([254, 0, 0]));
    assert_eq!(pixel(desk.picture("photo.jpg", red)), [254, 0, 0]);
    let blue = ImageBuffer::from_pixel(8, 8, Rgba([0u8, 0, 255, 255]));
    assert_eq!(pixel(desk.picture("clip.gif", blue)), [0, 0, 255]);
}

#[test]
fn what_is_no_sound_picture_is_refused_with_a_sentence() {
    let desk = Desk::new();
    desk.refused("notes.png", b"not a picture at all", "is not a PNG, JPEG or GIF");
    desk.refused("empty.png", b"", "is empty");
    for name in ["cut.png", "cut.jpg", "cut.gif"] {
        let picture: DynamicImage = noise(64, 64).into();
        let whole = fs::read(desk.picture(name, picture)).unwrap();
        for length in [20, whole.len() / 2, whole.len() - whole.len() / 8] {
            desk.refused(name, &whole[..length], "is cut short");
        }
    }
    let start = Instant::now();
    desk.refused("bomb.png", &png([8, 2], (50_000, 50_000), &[], &[0; 64]), "is larger than 200 megapixels");
    desk.refused("long.png", &png([8, 0], (200_000_001, 1), &[], &[0; 64]), "is larger than 200 megapixels");
    desk.refused("deep.png", &png([16, 6], (10_001, 10_000), &[], &[0; 64]), "or 800 MB");
    desk.refused("large.png", &png([8, 6], (4096, 4096), &[], &[0; 64]), "is cut short");
    assert!(start.elapsed().as_secs() < 2);
    assert!(load_goal(desk.0.path(), 8).unwrap_err().to_string().contains("is not a file"));
    assert!(load_goal(Path::new("no-such.png"), 8).unwrap_err().to_string().contains("no-such.png"));
}
