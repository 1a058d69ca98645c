use libjpeg_turbo_rs::common::types::ComponentInfo;
use libjpeg_turbo_rs::decode::resync::{RestartResyncStrategy, ResyncAction};
use libjpeg_turbo_rs::{DecodeLimits, Decoder, JpegError, PixelFormat, ScalingFactor};

use super::{DecodeError, Limits, resize, scans};
use crate::header::Format;
use crate::image::Size;

/// Decodes a JPEG file of this size to RGB, to the bit as libjpeg-turbo does with its default settings (accurate integer
/// transform, smooth upsampling, smoothing of progressive files that were sent in part), or at the fraction of that size that `reduction`
/// (1, 2, 4 or 8) names, each side rounded up. Returns the warnings.
///
/// Gray repeats in three channels. CMYK and YCCK, inverted as Adobe does, become RGB as in Pillow's `convert("RGB")`.
///
/// # Errors
/// [`DecodeError`]; of a file that is damaged anywhere, or lacks data.
pub(super) fn decode(
    limits: &Limits,
    size: Size,
    reduction: u32,
    bytes: &[u8],
    cmyk: &mut Vec<u8>,
    pixels: &mut Vec<u8>,
) -> Result<Vec<String>, DecodeError> {
    let mut decoder = Decoder::new_with_limits(bytes, decode_limits(limits)).map_err(|error| reason(error, limits))?;
    let components = supported(&decoder)?;
    let mut warnings = missing(&decoder, bytes)?;

    decoder.set_resync_strategy(NoResync);
    // Does nothing to a file whose coefficients were all sent.
    decoder.set_block_smoothing(true);
    let (format, output) = match components {
        4 => (PixelFormat::Cmyk, &mut *cmyk),
        _ => (PixelFormat::Rgb, &mut *pixels),
    };
    decoder.set_output_format(format);
    decoder.set_scale(ScalingFactor::try_new(1, reduction).map_err(|error| reason(error, limits))?);
    let size = Size::new(size.width.div_ceil(reduction), size.height.div_ceil(reduction));
    resize(output, size, format.bytes_per_pixel(), limits)?;
    let info = decoder.decode_image_into(output).map_err(|error| reason(error, limits))?;
    if (info.width, info.height, info.bytes_written) != (size.width as usize, size.height as usize, output.len()) {
        return Err(damaged(format!("decoded to {}x{} where {size} was due", info.width, info.height)));
    }
    if components == 4 {
        resize(pixels, size, 3, limits)?;
        rgb_of_inverted_cmyk(cmyk, pixels);
    }
    warnings.extend(info.warnings.iter().map(ToString::to_string));
    Ok(warnings)
}

fn decode_limits(limits: &Limits) -> DecodeLimits {
    DecodeLimits {
        max_pixels: limits.max_pixels,
        max_scans: MAX_SCANS,
        max_memory: Some(limits.max_alloc),
        ..DecodeLimits::default()
    }
}

/// Number of components, if the file is of a kind that can be decoded.
fn supported(decoder: &Decoder<'_>) -> Result<usize, DecodeError> {
    let frame = decoder.header();
    let components = frame.components.len();
    let cause = match (frame.precision, components) {
        // A truncated file would decode without an error, since arithmetic decoding may read zeros past the end.
        _ if decoder.is_arithmetic() => "arithmetic coding".to_owned(),
        // The decoder would panic.
        (8, 4) if !plain_sampling(&frame.components) => "unusual sampling factors of CMYK".to_owned(),
        (8, 1 | 3 | 4) => return Ok(components),
        (8, other) => format!("{other} components, expected 1, 3 or 4"),
        (other, _) => format!("{other} bits per sample, expected 8"),
    };
    Err(DecodeError::Unsupported { format: Format::Jpeg, cause })
}

/// Whether the first and the last of four components are whole, and the middle two sampled alike, as all encoders do.
fn plain_sampling(components: &[ComponentInfo]) -> bool {
    let factors = |at: usize| (components[at].horizontal_sampling, components[at].vertical_sampling);
    let (whole, middle) = (factors(0), factors(1));
    let divides = middle.0 > 0 && middle.1 > 0 && whole.0.is_multiple_of(middle.0) && whole.1.is_multiple_of(middle.1);
    factors(3) == whole && factors(2) == middle && divides
}

/// Looks for data that is not there. One look at the end is enough where the only scan has no restart markers, since the
/// decoder itself tells a scan that is too short.
fn missing(decoder: &Decoder<'_>, bytes: &[u8]) -> Result<Vec<String>, DecodeError> {
    if decoder.has_multiple_scans() || has_restarts(bytes) {
        return scans::check(bytes).map_err(damaged);
    }
    Ok(if scans::has_end(bytes) { vec![] } else { vec![scans::NO_END.to_owned()] })
}

/// Whether a restart interval is defined before the first scan.
fn has_restarts(bytes: &[u8]) -> bool {
    let mut segments = crate::header::Segments::new(bytes);
    while let Ok(Some(segment)) = segments.next() {
        match segment.marker {
            0xda => return false,
            0xdd => return segment.content != [0, 0],
            _ => {}
        }
    }
    false
}

/// Never goes on at a restart marker that is not the one due: what lies between is lost.
struct NoResync;

impl RestartResyncStrategy for NoResync {
    fn on_desync(&mut self, _expected: u8, _found: Option<u8>) -> ResyncAction {
        ResyncAction::Abort
    }
}

fn damaged(cause: String) -> DecodeError {
    DecodeError::Damaged { format: Format::Jpeg, cause }
}

fn reason(error: JpegError, limits: &Limits) -> DecodeError {
    match error {
        JpegError::LimitExceeded { what: "estimated decode memory", actual, limit } => {
            DecodeError::TooMuchMemory { need: actual, max: limit }
        }
        JpegError::AllocationFailed { bytes, .. } => DecodeError::TooMuchMemory { need: bytes, max: limits.max_alloc },
        // Of sizes the caller has checked only those are left that no JPEG decoder takes; too many scans are an attack.
        JpegError::LimitExceeded { .. } | JpegError::Unsupported(_) => {
            DecodeError::Unsupported { format: Format::Jpeg, cause: error.to_string() }
        }
        other => damaged(other.to_string()),
    }
}

/// RGB of CMYK whose values are stored inverted, as Adobe does and Pillow takes for granted: each colour is what neither ink
/// nor black holds back.
fn rgb_of_inverted_cmyk(cmyk: &[u8], rgb: &mut [u8]) {
    for (inks, colours) in cmyk.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
        let light = u32::from(inks[3]);
        for (ink, colour) in inks.iter().zip(colours) {
            let held = u32::from(255 - ink) * light + 128;
            // The quotient by 255, rounded to nearest: at most `light`, so the difference is one of 8 bits.
            *colour = (light - (((held >> 8) + held) >> 8)) as u8;
        }
    }
}

/// More scans than any encoder writes; each costs a pass over the image.
pub(super) const MAX_SCANS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverted_cmyk_becomes_rgb_as_in_pillow() {
        // Image.frombytes("CMYK", (1, 1), bytes(255 - v for v in inks)).convert("RGB")
        for (inks, expected) in [
            ([255, 255, 255, 255], [255, 255, 255]),
            ([0, 0, 0, 0], [0, 0, 0]),
            ([0, 255, 255, 255], [0, 255, 255]),
            ([10, 128, 200, 100], [4, 50, 78]),
            ([250, 3, 77, 201], [197, 2, 61]),
        ] {
            let mut rgb = [0; 3];
            rgb_of_inverted_cmyk(&inks, &mut rgb);
            assert_eq!(rgb, expected, "{inks:?}");
        }
    }
}
