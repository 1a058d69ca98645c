use std::io::Cursor;

use png::{BitDepth, ColorType, Transformations};

use super::{DecodeError, Limits};
use crate::header::{self, Format};
use crate::image::Size;

/// Decodes a mask to its raw values: the indices of a palette as they are, gray of up to 8 bits unscaled. Never through colours, so
/// that a class is the number that was written.
///
/// # Errors
/// [`DecodeError`], also for any other kind of file: colours, alpha and 16 bits are no classes.
pub fn mask(bytes: &[u8], limits: &Limits) -> Result<(Size, Vec<u8>), DecodeError> {
    let header = header::read(bytes)?;
    let (format, size) = (header.format, header.size);
    let unsupported = |cause: String| DecodeError::Unsupported { format, cause };
    if format != Format::Png {
        return Err(unsupported("a mask is a PNG".into()));
    }
    if size.area() > limits.max_pixels {
        return Err(DecodeError::TooLarge { size, max: limits.max_pixels });
    }
    let decoded = header::unwinding(|| raw(bytes, size, limits));
    decoded
        .unwrap_or_else(|panic| Err(DecodeError::Damaged { format, cause: format!("the decoder panicked: {panic}") }))
}

fn raw(bytes: &[u8], size: Size, limits: &Limits) -> Result<(Size, Vec<u8>), DecodeError> {
    let format = Format::Png;
    let damaged = |error: png::DecodingError| DecodeError::Damaged { format, cause: error.to_string() };
    let max = usize::try_from(limits.max_alloc).unwrap_or(usize::MAX);
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), png::Limits { bytes: max });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (colour, depth) = (reader.info().color_type, reader.info().bit_depth);
    if !matches!(colour, ColorType::Grayscale | ColorType::Indexed) || depth == BitDepth::Sixteen {
        let cause = format!("{colour:?} of {} bits; a mask is gray or palette of at most 8", depth as u8);
        return Err(DecodeError::Unsupported { format, cause });
    }
    let row = reader.output_line_size(size.width).unwrap_or_default();
    let need = (row as u64).saturating_mul(u64::from(size.height)).saturating_add(size.area());
    let too_much = || DecodeError::TooMuchMemory { need, max: limits.max_alloc };
    let length = reader.output_buffer_size().filter(|_| need <= limits.max_alloc).ok_or_else(too_much)?;
    let mut packed = Vec::new();
    packed.try_reserve_exact(length).map_err(|_| too_much())?;
    packed.resize(length, 0);
    reader.next_frame(&mut packed).map_err(damaged)?;
    if depth == BitDepth::Eight {
        return Ok((size, packed));
    }
    let mut values = Vec::new();
    values.try_reserve_exact(size.area() as usize).map_err(|_| too_much())?;
    for packed in packed.chunks_exact(row.max(1)) {
        unpack(packed, depth as usize, size.width as usize, &mut values);
    }
    Ok((size, values))
}

/// The `width` values of a row of `depth` bits each, the first in the highest bits.
fn unpack(packed: &[u8], depth: usize, width: usize, values: &mut Vec<u8>) {
    let mask = (1_u16 << depth) - 1;
    values.extend((0..width).map(|x| {
        let shift = 8 - depth - x * depth % 8;
        ((u16::from(packed[x * depth / 8]) >> shift) & mask) as u8
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of 5x2 with these packed rows.
    fn encoded(colour: ColorType, depth: BitDepth, rows: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 5, 2);
        encoder.set_color(colour);
        encoder.set_depth(depth);
        if colour == ColorType::Indexed {
            encoder.set_palette(vec![200; 3 * (1 << depth as usize)]);
        }
        encoder.write_header().and_then(|mut writer| writer.write_image_data(rows)).expect("a sound image");
        bytes
    }

    fn values(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
        mask(bytes, &Limits::default()).map(|(size, values)| {
            assert_eq!(size, Size::new(5, 2));
            values
        })
    }

    #[test]
    fn raw_values_come_through_at_every_depth() {
        let eight = [0, 1, 2, 254, 255, 9, 8, 7, 6, 5];
        for colour in [ColorType::Grayscale, ColorType::Indexed] {
            assert_eq!(values(&encoded(colour, BitDepth::Eight, &eight)), Ok(eight.to_vec()));
            let four = encoded(colour, BitDepth::Four, &[0x01, 0x2f, 0x30, 0xfe, 0xdc, 0xb0]);
            assert_eq!(values(&four), Ok(vec![0, 1, 2, 15, 3, 15, 14, 13, 12, 11]));
            let two = encoded(colour, BitDepth::Two, &[0b0001_1011, 0b1100_0000, 0b1110_0100, 0]);
            assert_eq!(values(&two), Ok(vec![0, 1, 2, 3, 3, 3, 2, 1, 0, 0]));
            let one = encoded(colour, BitDepth::One, &[0b1010_1000, 0b0101_0000]);
            assert_eq!(values(&one), Ok(vec![1, 0, 1, 0, 1, 0, 1, 0, 1, 0]));
        }
    }

    #[test]
    fn colours_and_damage_are_no_masks() {
        let colour = encoded(ColorType::Rgb, BitDepth::Eight, &[7; 30]);
        assert!(matches!(values(&colour), Err(DecodeError::Unsupported { .. })));
        let deep = encoded(ColorType::Grayscale, BitDepth::Sixteen, &[7; 20]);
        assert!(matches!(values(&deep), Err(DecodeError::Unsupported { .. })));
        let sound = encoded(ColorType::Grayscale, BitDepth::Eight, &[7; 10]);
        for end in [0, 20, sound.len() - 20] {
            values(&sound[..end]).expect_err("cut off");
        }
        let small = Limits { max_pixels: 9, ..Limits::default() };
        assert!(mask(&sound, &small).expect_err("too large").is_limit());
    }
}
