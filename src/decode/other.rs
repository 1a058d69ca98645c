use std::io::Cursor;

use image::error::LimitErrorKind;
use image::{ColorType, ImageDecoder, ImageError, ImageReader};

use super::{DecodeError, Limits, resize};
use crate::header::Format;
use crate::image::Size;

/// Decodes a file of any format but JPEG and GIF to RGB. Returns the warnings.
///
/// # Errors
/// [`DecodeError`]; of a file that is damaged or truncated before the last pixel of its first image.
pub(super) fn decode(
    limits: &Limits,
    format: Format,
    size: Size,
    bytes: &[u8],
    scratch: &mut Vec<u8>,
    pixels: &mut Vec<u8>,
) -> Result<Vec<String>, DecodeError> {
    let reason = |error| reason(format, limits, error);
    // Lossy data that ends early would be decoded as if zeros followed.
    if format == Format::WebP && shorter_than_said(bytes) {
        return Err(DecodeError::Damaged { format, cause: "the file is shorter than its header says".to_owned() });
    }
    let decoder = decoder(limits, format, bytes).map_err(reason)?;
    let (width, height) = decoder.dimensions();
    if Size::new(width, height) != size {
        return Err(DecodeError::Damaged { format, cause: format!("a size of {width}x{height} where {size} was due") });
    }
    let color = decoder.color_type();
    let values =
        values(color).ok_or_else(|| DecodeError::Unsupported { format, cause: format!("{color:?} pixels") })?;
    resize(pixels, size, 3, limits)?;
    if values == Values::Rgb {
        zero(pixels);
        decoder.read_image(pixels).map_err(reason)?;
    } else {
        resize(scratch, size, usize::from(color.bytes_per_pixel()), limits)?;
        zero(scratch);
        decoder.read_image(scratch).map_err(reason)?;
        rgb_of(values, scratch, pixels);
    }
    let no_end = format == Format::Png && !bytes.windows(4).rev().any(|name| name == b"IEND");
    Ok(if no_end { vec!["no IEND chunk".to_owned()] } else { vec![] })
}

fn decoder<'a>(limits: &Limits, format: Format, bytes: &'a [u8]) -> Result<impl ImageDecoder + 'a, ImageError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.of_image_crate());
    let mut inner = image::Limits::no_limits();
    inner.max_alloc = Some(limits.max_alloc);
    reader.limits(inner);
    reader.into_decoder()
}

/// Some decoders leave a pixel as it was, such as one whose palette entry does not exist: what an earlier image left there
/// must not shine through.
fn zero(buffer: &mut [u8]) {
    buffer.fill(0);
}

/// How the values of a pixel are stored.
#[derive(Clone, Copy, PartialEq)]
enum Values {
    Rgb,
    /// 8 bits, this many per pixel: gray, or RGB first, and then perhaps alpha.
    Bytes {
        per_pixel: usize,
    },
    /// 16 bits in the machine's order, this many per pixel.
    Words {
        per_pixel: usize,
    },
}

fn values(color: ColorType) -> Option<Values> {
    let per_pixel = usize::from(color.channel_count());
    match color {
        ColorType::Rgb8 => Some(Values::Rgb),
        ColorType::L8 | ColorType::La8 | ColorType::Rgba8 => Some(Values::Bytes { per_pixel }),
        ColorType::L16 | ColorType::La16 | ColorType::Rgb16 | ColorType::Rgba16 => Some(Values::Words { per_pixel }),
        // Floats have no scale that could be told.
        _ => None,
    }
}

fn rgb_of(values: Values, stored: &[u8], rgb: &mut [u8]) {
    match values {
        Values::Rgb => rgb.copy_from_slice(stored),
        Values::Bytes { per_pixel: 4 } => {
            for (pixel, out) in stored.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
                out.copy_from_slice(&pixel[..3]);
            }
        }
        Values::Bytes { per_pixel } => {
            for (pixel, out) in stored.chunks_exact(per_pixel).zip(rgb.chunks_exact_mut(3)) {
                out.fill(pixel[0]);
            }
        }
        Values::Words { per_pixel } => {
            // Gray repeats; of colours each has its own word.
            let step = if per_pixel < 3 { 0 } else { 2 };
            for (pixel, out) in stored.chunks_exact(per_pixel * 2).zip(rgb.chunks_exact_mut(3)) {
                for (channel, value) in out.iter_mut().enumerate() {
                    let at = channel * step;
                    *value = (u16::from_ne_bytes([pixel[at], pixel[at + 1]]) >> 8) as u8;
                }
            }
        }
    }
}

fn shorter_than_said(riff: &[u8]) -> bool {
    let said = riff.get(4..8).and_then(|field| field.try_into().ok()).map_or(0, u32::from_le_bytes);
    (riff.len() as u64) < u64::from(said) + 8
}

fn reason(format: Format, limits: &Limits, error: ImageError) -> DecodeError {
    match &error {
        ImageError::Limits(limit) if limit.kind() == LimitErrorKind::InsufficientMemory => {
            DecodeError::TooMuchMemory { need: limits.max_alloc.saturating_add(1), max: limits.max_alloc }
        }
        ImageError::Unsupported(_) => DecodeError::Unsupported { format, cause: error.to_string() },
        _ => DecodeError::Damaged { format, cause: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[u16]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    #[test]
    fn gray_repeats_alpha_is_dropped_and_words_become_their_high_byte() {
        let mut rgb = [0; 6];
        rgb_of(Values::Bytes { per_pixel: 1 }, &[7, 9], &mut rgb);
        assert_eq!(rgb, [7, 7, 7, 9, 9, 9]);
        rgb_of(Values::Bytes { per_pixel: 2 }, &[7, 0, 9, 0], &mut rgb);
        assert_eq!(rgb, [7, 7, 7, 9, 9, 9]);
        rgb_of(Values::Bytes { per_pixel: 4 }, &[1, 2, 3, 0, 4, 5, 6, 0], &mut rgb);
        assert_eq!(rgb, [1, 2, 3, 4, 5, 6]);
        rgb_of(Values::Words { per_pixel: 2 }, &words(&[0x12ff, 0, 0x00ff, 0]), &mut rgb);
        assert_eq!(rgb, [0x12, 0x12, 0x12, 0, 0, 0]);
        rgb_of(
            Values::Words { per_pixel: 4 },
            &words(&[0x0100, 0x0200, 0x0300, 0, 0x0400, 0x0500, 0xffff, 0]),
            &mut rgb,
        );
        assert_eq!(rgb, [1, 2, 3, 4, 5, 255]);
    }
}
