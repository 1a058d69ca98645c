use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::{DecodeError, Limits, resize};
use crate::header::Format;
use crate::image::Size;

/// Decodes the first frame of a GIF file to RGB. Returns the warnings.
///
/// Transparent pixels have the colour that the palette gives them. Around a frame smaller than the image lies the transparent
/// colour, or without one the first of the palette, as in Pillow's `convert("RGB")`.
///
/// # Errors
/// [`DecodeError`]; of a file that is damaged or truncated before the last pixel of its first frame.
pub(super) fn decode(
    limits: &Limits,
    size: Size,
    bytes: &[u8],
    indices: &mut Vec<u8>,
    pixels: &mut Vec<u8>,
) -> Result<Vec<String>, DecodeError> {
    let reason = |error| reason(error, limits);
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(NonZeroU64::new(limits.max_alloc).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    let mut decoder = options.read_info(bytes).map_err(reason)?;

    let frame = decoder.next_frame_info().map_err(reason)?.ok_or_else(|| damaged("no frame"))?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let stored = Size::new(u32::from(frame.width), u32::from(frame.height));
    let background = frame.transparent.unwrap_or(0);
    let own_palette = frame.palette.clone();
    if stored.area() == 0 {
        return Err(damaged(format!("a frame of {stored}")));
    }
    resize(indices, stored, 1, limits)?;
    decoder.read_into_buffer(indices).map_err(reason)?;
    let palette = own_palette.as_deref().or(decoder.global_palette()).ok_or_else(|| damaged("no palette"))?;
    let colours = Colours::new(palette);

    resize(pixels, size, 3, limits)?;
    let (width, frame_width) = (size.width as usize, stored.width as usize);
    if (left, top, stored) != (0, 0, size) {
        pixels.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&colours.table[usize::from(background)]));
    }
    // Of a frame that is larger than the image, what lies outside is left out.
    for (row, indices) in pixels.chunks_exact_mut(width * 3).skip(top).zip(indices.chunks_exact(frame_width)) {
        for (pixel, &index) in row.chunks_exact_mut(3).skip(left).zip(indices) {
            pixel.copy_from_slice(&colours.table[usize::from(index)]);
        }
    }
    let mut warnings = Vec::new();
    if indices.iter().any(|&index| usize::from(index) >= colours.count) {
        warnings.push(format!("pixels beyond the {} colours of the palette, taken as black", colours.count));
    }
    if !bytes.contains(&TRAILER) {
        warnings.push("no trailer".to_owned());
    }
    Ok(warnings)
}

const TRAILER: u8 = 0x3b;

/// The palette, filled up with black.
struct Colours {
    table: [[u8; 3]; 256],
    count: usize,
}

impl Colours {
    fn new(palette: &[u8]) -> Self {
        let mut table = [[0; 3]; 256];
        for (entry, colour) in table.iter_mut().zip(palette.chunks_exact(3)) {
            entry.copy_from_slice(colour);
        }
        Colours { table, count: palette.len() / 3 }
    }
}

fn damaged(cause: impl Into<String>) -> DecodeError {
    DecodeError::Damaged { format: Format::Gif, cause: cause.into() }
}

fn reason(error: DecodingError, limits: &Limits) -> DecodeError {
    match error {
        DecodingError::OutOfMemory | DecodingError::MemoryLimit => {
            DecodeError::TooMuchMemory { need: limits.max_alloc.saturating_add(1), max: limits.max_alloc }
        }
        other => damaged(other.to_string()),
    }
}
