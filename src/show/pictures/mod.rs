//! Reads a user's goal picture as a square RGB image of the camera's size, and writes images as PNG.
//!
//! Goal pictures are the only untrusted pictures that are decoded, so the size in the header is checked before any pixel.

use std::path::{Path, PathBuf};
use std::{fs, io::Cursor};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, imageops};
use skewfit_envs::Image;

use crate::error::{Error, Result};

/// Most pixels of a goal picture: four times a phone's 48 megapixels.
pub const MAX_PIXELS: u64 = 200_000_000;
/// Largest size of a goal picture, as a file or decoded, bytes. Turning and cropping need a second copy.
pub const MAX_BYTES: u64 = 800_000_000;

/// Reads a PNG, JPEG or GIF (recognised by content; first frame of a GIF) as a `size` x `size` image: rotated upright,
/// blended over white, cropped to the central square, area-averaged. A picture that already has this size keeps its bytes.
///
/// # Errors
/// `Usage` if it is not such a picture, is empty, is cut short, or exceeds [`MAX_PIXELS`] or [`MAX_BYTES`].
pub fn load_goal(path: &Path, size: usize) -> Result<Image> {
    let square = over_white(decode_square(path)?);
    let target = u32::try_from(size).unwrap_or(u32::MAX);
    let image = if square.width() == target {
        square
    } else {
        imageops::resize(&square, target, target, imageops::FilterType::Triangle)
    };
    Ok(Image { size, pixels: image.into_raw() })
}

/// The pictures in a folder, sorted by name: files that end in png, jpg, jpeg or gif.
///
/// # Errors
/// `Usage` if the folder cannot be read or holds no picture.
pub fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let refuse = |why: String| Error::Usage(format!("folder of pictures {}: {why}", folder.display()));
    let entries = fs::read_dir(folder).map_err(|e| refuse(format!("cannot be read ({e})")))?;
    let ends = |path: &Path| path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    let hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let is_picture = |path: &PathBuf| {
        let known = ends(path).is_some_and(|end| ["png", "jpg", "jpeg", "gif"].contains(&&*end));
        known && !hidden(path) && path.is_file()
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    let paths = paths.map_err(|e| refuse(format!("cannot be read ({e})")))?;
    let mut pictures: Vec<PathBuf> = paths.into_iter().filter(is_picture).collect();
    pictures.sort();
    match pictures.is_empty() {
        true => Err(refuse("holds no picture; put a PNG, JPEG or GIF there".into())),
        false => Ok(pictures),
    }
}

/// Writes an image as PNG.
///
/// # Errors
/// `Io` if the file cannot be written.
pub fn save_png(image: &Image, path: &Path) -> Result<()> {
    let failed = |source| Error::Io { what: format!("{}: cannot write the picture", path.display()), source };
    let side = u32::try_from(image.size).unwrap_or(u32::MAX);
    let bytes =
        image::save_buffer_with_format(path, &image.pixels, side, side, image::ColorType::Rgb8, ImageFormat::Png);
    bytes.map_err(|e| match e {
        image::ImageError::IoError(e) => failed(e),
        e => failed(std::io::Error::other(e)),
    })
}

/// An image as PNG bytes.
///
/// # Errors
/// `Io` if the number of pixels does not match the image's size.
pub fn png(image: &Image) -> Result<Vec<u8>> {
    let side = u32::try_from(image.size).unwrap_or(u32::MAX);
    let mut bytes = Cursor::new(Vec::new());
    let format = ImageFormat::Png;
    let written =
        image::write_buffer_with_format(&mut bytes, &image.pixels, side, side, image::ColorType::Rgb8, format);
    let failed = |e| Error::Io { what: "cannot encode a picture as PNG".into(), source: std::io::Error::other(e) };
    written.map_err(failed).map(|()| bytes.into_inner())
}

/// The square in the middle of a picture, upright.
fn decode_square(path: &Path) -> Result<DynamicImage> {
    let refuse = |why: &str| Error::Usage(format!("goal picture {}: {why}", path.display()));
    let unreadable = |e: std::io::Error| refuse(&format!("cannot be read ({e})"));
    let too_large = || {
        let (pixels, bytes) = (MAX_PIXELS / 1_000_000, MAX_BYTES / 1_000_000);
        refuse(&format!("is larger than {pixels} megapixels, or {bytes} MB as a file or decoded; scale it down first"))
    };
    let absent = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::NotFound => refuse("is not there; give the path of a PNG, JPEG or GIF"),
        _ => unreadable(e),
    };
    let file = path.metadata().map_err(absent)?;
    if !file.is_file() {
        return Err(refuse("is not a file; give a PNG, JPEG or GIF"));
    }
    if file.len() == 0 {
        return Err(refuse("is empty (0 bytes); copy or save it again"));
    }
    if file.len() > MAX_BYTES {
        return Err(too_large());
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    let mut reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().map_err(unreadable)?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Gif)) {
        return Err(refuse("is not a PNG, JPEG or GIF; convert it first"));
    }
    if reader.format() == Some(ImageFormat::Jpeg) && !jpeg_ends(&bytes) {
        return Err(refuse("is cut short; take it again"));
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(2 * MAX_BYTES);
    reader.limits(limits);
    let broken = |e: image::ImageError| match e {
        image::ImageError::Limits(_) => too_large(),
        e => refuse(&format!("is cut short or damaged ({e}); take it again")),
    };
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > MAX_BYTES || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(too_large());
    }
    let turn = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(turn);
    let (width, height, side) = (picture.width(), picture.height(), width.min(height));
    if width == height {
        return Ok(picture);
    }
    Ok(picture.crop_imm((width - side) / 2, (height - side) / 2, side, side))
}

/// True if the segments lead to the end marker. The decoder would fill missing pixels with grey.
fn jpeg_ends(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let [0xFF, marker, rest @ ..] = bytes.get(at..).unwrap_or_default() {
        at += match (marker, rest) {
            (0xD9, _) => return true,
            (0xFF, _) => 1,
            (0x00 | 0x01 | 0xD0..=0xD8, _) => 2,
            (_, [high, low, ..]) => 2 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => return false,
        };
        // Skip coded pixels up to the next marker; 0xFF 0x00 and restart markers within them are skipped above.
        at += bytes.get(at..).unwrap_or_default().iter().take_while(|b| **b != 0xFF).count();
    }
    false
}

/// Blends over white: c a + 1 (1 - a) for each channel, in units of 1/255, rounded to nearest.
fn over_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    RgbImage::from_fn(rgba.width(), rgba.height(), |x, y| {
        let [r, g, b, a] = rgba.get_pixel(x, y).0.map(u32::from);
        image::Rgb([r, g, b].map(|c| ((c * a + 255 * (255 - a) + 127) / 255) as u8))
    })
}

#[cfg(test)]
mod tests;
