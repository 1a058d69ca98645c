use crate::header::{self, Format, Segment, Segments};
use crate::image::Size;
use crate::sample::Geometry;

/// Orientation of the image in a file, 1 to 8 as Exif counts them; 1, which is upright, if the file says none or nonsense.
/// Told by the Exif data of JPEG, PNG and WebP files, and by the tags of TIFF files.
pub fn orientation(bytes: &[u8]) -> u8 {
    let found = match header::sniff(bytes) {
        Some(Format::Jpeg) => exif_of_jpeg(bytes).and_then(of_tiff),
        Some(Format::Png) => exif_of_png(bytes).and_then(of_tiff),
        Some(Format::WebP) => exif_of_webp(bytes).and_then(of_tiff),
        Some(Format::Tiff) => of_tiff(bytes),
        _ => None,
    };
    found.unwrap_or(1)
}

/// How annotations of an image of `size` move when [`orient`] turns it: one step after the other.
pub fn turns(orientation: u8, size: Size) -> Vec<Geometry> {
    let quarter = |turns| Geometry::quarter_turns(turns, size);
    match orientation {
        2 => vec![Geometry::mirror_x(size)],
        3 => vec![quarter(2)],
        4 => vec![Geometry::mirror_y(size)],
        5 => vec![quarter(1), Geometry::mirror_y(size.transposed())],
        6 => vec![quarter(3)],
        7 => vec![quarter(1), Geometry::mirror_x(size.transposed())],
        8 => vec![quarter(1)],
        _ => Vec::new(),
    }
}

/// Turns and mirrors an RGB image so that it stands upright, as Pillow's `ImageOps.exif_transpose`.
pub fn orient(size: Size, pixels: &[u8], orientation: u8) -> (Size, Vec<u8>) {
    let mut upright = Vec::new();
    let size = orient_into(size, pixels, orientation, &mut upright);
    (size, upright)
}

/// As [`orient`], into memory that is used again. Returns the size of the upright image.
///
/// # Panics
/// If `pixels` is not an RGB image of this size: a bug of the caller.
pub fn orient_into(size: Size, pixels: &[u8], orientation: u8, upright: &mut Vec<u8>) -> Size {
    assert_eq!(pixels.len() as u64, size.area() * 3, "values of an RGB image of {size}");
    let (width, height) = (size.width as usize, size.height as usize);
    upright.clear();
    if !matches!(orientation, 2..=8) || pixels.is_empty() {
        upright.extend_from_slice(pixels);
        return size;
    }
    if orientation <= 4 {
        upright.reserve(pixels.len());
        let row = |y: usize| &pixels[y * width * 3..][..width * 3];
        for y in 0..height {
            match orientation {
                2 => mirror(row(y), upright),
                3 => mirror(row(height - 1 - y), upright),
                _ => upright.extend_from_slice(row(height - 1 - y)),
            }
        }
        return size;
    }
    upright.resize(pixels.len(), 0);
    // The upright image is `height` wide: its column is our row, forwards or backwards, and so its row is our column.
    let (from_right, from_bottom) = (matches!(orientation, 7 | 8), matches!(orientation, 6 | 7));
    for top in (0..height).step_by(BLOCK) {
        for left in (0..width).step_by(BLOCK) {
            for x in left..width.min(left + BLOCK) {
                let row = if from_right { width - 1 - x } else { x };
                for y in top..height.min(top + BLOCK) {
                    let column = if from_bottom { height - 1 - y } else { y };
                    let (from, to) = ((y * width + x) * 3, (row * height + column) * 3);
                    upright[to..to + 3].copy_from_slice(&pixels[from..from + 3]);
                }
            }
        }
    }
    size.transposed()
}

/// Side of the squares a transposition goes by, so that both images stay in the cache.
const BLOCK: usize = 32;

fn mirror(row: &[u8], out: &mut Vec<u8>) {
    out.extend(row.rchunks_exact(3).flatten());
}

/// The Exif data before the first scan.
fn exif_of_jpeg(bytes: &[u8]) -> Option<&[u8]> {
    let mut segments = Segments::new(bytes);
    while let Ok(Some(Segment { marker, content, .. })) = segments.next() {
        match marker {
            0xe1 if content.starts_with(EXIF) => return content.get(EXIF.len()..),
            0xd9 | 0xda => break,
            _ => {}
        }
    }
    None
}

fn exif_of_png(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(8..)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (name, data) = after.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        if name == b"eXIf" {
            return data.get(..length);
        }
        // Behind the data lies its checksum.
        rest = data.get(length.checked_add(4)?..)?;
    }
}

fn exif_of_webp(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(12..)?;
    loop {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, data) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        if name == b"EXIF" {
            let exif = data.get(..length)?;
            // Some writers keep the name that JPEG needs.
            return Some(exif.strip_prefix(EXIF).unwrap_or(exif));
        }
        // Chunks start at even offsets.
        rest = data.get(length.checked_next_multiple_of(2)?..)?;
    }
}

/// The orientation tag in the first directory of TIFF data, which Exif data is.
fn of_tiff(bytes: &[u8]) -> Option<u8> {
    let little = match bytes.get(..4)? {
        [b'I', b'I', 42, 0] => true,
        [b'M', b'M', 0, 42] => false,
        _ => return None,
    };
    let u16_at = |at: usize| {
        let field = bytes.get(at..)?.first_chunk::<2>()?;
        Some(if little { u16::from_le_bytes(*field) } else { u16::from_be_bytes(*field) })
    };
    let u32_at = |at: usize| {
        let field = bytes.get(at..)?.first_chunk::<4>()?;
        Some(if little { u32::from_le_bytes(*field) } else { u32::from_be_bytes(*field) })
    };
    let directory = u32_at(4)? as usize;
    let entries = usize::from(u16_at(directory)?);
    for entry in 0..entries {
        let at = directory.checked_add(2 + entry * 12)?;
        if u16_at(at)? == ORIENTATION {
            let value = match u16_at(at + 2)? {
                SHORT => u32::from(u16_at(at + 8)?),
                LONG => u32_at(at + 8)?,
                _ => return None,
            };
            return u8::try_from(value).ok().filter(|value| (1..=8).contains(value));
        }
    }
    None
}

const EXIF: &[u8] = b"Exif\0\0";
const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;
const LONG: u16 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Image;
    use crate::sample::{Mask, Sample};

    /// TIFF data of one directory that holds an orientation.
    fn tiff(value: u16) -> Vec<u8> {
        let [high, low] = value.to_be_bytes();
        let directory = [0, 2, 1, 0, 0, 3, 0, 0, 0, 1, 0, 9, 0, 0, 1, 0x12, 0, 3, 0, 0, 0, 1, high, low, 0, 0];
        [b"MM\0*\0\0\0\x08".as_slice(), &directory, &[0; 4]].concat()
    }

    fn jpeg(exif: &[u8]) -> Vec<u8> {
        let length = (2 + EXIF.len() + exif.len()) as u16;
        [&[0xff, 0xd8, 0xff, 0xe1], &length.to_be_bytes()[..], EXIF, exif, &[0xff, 0xd9]].concat()
    }

    #[test]
    fn annotations_turn_with_the_pixels() {
        let (size, mark) = (Size::new(3, 2), 4);
        let mut pixels = vec![0; 18];
        pixels[mark * 3] = 9;
        let classes: Vec<u8> = pixels.chunks(3).map(|pixel| pixel[0]).collect();
        for orientation in 0..=9 {
            let (upright, turned) = orient(size, &pixels, orientation);
            let mut sample = Sample::new(Image::from_u8(size, 3, pixels.clone()), 0);
            sample.masks = vec![Mask { size, classes: classes.clone() }];
            turns(orientation, size).iter().for_each(|turn| turn.move_annotations(&mut sample));
            let found: Vec<u8> = turned.chunks(3).map(|pixel| pixel[0]).collect();
            assert_eq!((sample.masks[0].size, &sample.masks[0].classes), (upright, &found), "{orientation}");
        }
    }

    #[test]
    fn orientation_is_found_and_nonsense_means_upright() {
        for value in 1..=8 {
            assert_eq!(orientation(&tiff(value)), value as u8);
            assert_eq!(orientation(&jpeg(&tiff(value))), value as u8);
        }
        for value in [0, 9, 256, 262, 65535] {
            assert_eq!(orientation(&jpeg(&tiff(value))), 1);
        }
        assert_eq!(orientation(b"GIF89a"), 1);
        assert_eq!(orientation(b""), 1);
    }

    #[test]
    fn no_prefix_and_no_lying_offset_does_harm() {
        let whole = jpeg(&tiff(6));
        for end in 0..whole.len() {
            orientation(&whole[..end]);
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] = 0xff;
            orientation(&bytes);
        }
        orientation(b"II*\0\xff\xff\xff\xff");
        orientation(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt");
        orientation(b"RIFF\0\0\0\0WEBPVP8X\xff\xff\xff\xff");
    }

    #[test]
    fn orientations_turn_and_mirror() {
        let pixels: Vec<u8> = [1, 2, 3, 4, 5, 6].into_iter().flat_map(|value| [value; 3]).collect();
        let turned = |orientation| {
            let (size, pixels) = orient(Size::new(3, 2), &pixels, orientation);
            (size.width, pixels.chunks(3).map(|pixel| pixel[0]).collect::<Vec<_>>())
        };
        assert_eq!(turned(1), (3, vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(turned(2), (3, vec![3, 2, 1, 6, 5, 4]));
        assert_eq!(turned(3), (3, vec![6, 5, 4, 3, 2, 1]));
        assert_eq!(turned(4), (3, vec![4, 5, 6, 1, 2, 3]));
        assert_eq!(turned(5), (2, vec![1, 4, 2, 5, 3, 6]));
        assert_eq!(turned(6), (2, vec![4, 1, 5, 2, 6, 3]));
        assert_eq!(turned(7), (2, vec![6, 3, 5, 2, 4, 1]));
        assert_eq!(turned(8), (2, vec![3, 6, 2, 5, 1, 4]));
    }

    #[test]
    fn turning_back_restores_an_image_larger_than_a_block() {
        let size = Size::new(67, 41);
        let pixels: Vec<u8> = (0..size.area() * 3).map(|value| (value % 251) as u8).collect();
        for (orientation, back) in [(5, 5), (6, 8), (7, 7), (8, 6)] {
            let (turned, upright) = orient(size, &pixels, orientation);
            assert_eq!(orient(turned, &upright, back), (size, pixels.clone()), "{orientation}");
        }
    }
}
