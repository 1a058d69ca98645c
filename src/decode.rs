use crate::header::{self, Format, HeaderError};
use crate::image::{Excerpt, Size, Window};
use crate::sample::Mask;

use baseline::{Baseline, Wanted};
pub use mask::mask;
pub use orientation::{orient, orient_into, orientation, turns};

mod baseline;
mod gif;
mod jpeg;
mod leftover;
mod mask;
mod orientation;
mod other;
mod scans;

/// What a decoder may spend on one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of the image: larger ones are refused by their header.
    pub max_pixels: u64,
    /// Bytes of memory that decoding an image may need, output included. Checked before allocation as far as the header tells.
    pub max_alloc: u64,
}

impl Default for Limits {
    /// The pixels that Pillow decodes without a warning, and memory for that many in a progressive JPEG file.
    fn default() -> Self {
        Limits { max_pixels: 89_478_485, max_alloc: 3 << 29 }
    }
}

/// Decodes image files to RGB. One per worker: it owns the memory that decoding needs besides the output.
///
/// Alpha is dropped, not blended; palettes are looked up; 16 bits become their high byte; of several frames or pages the first
/// is taken; colour profiles and orientation are left to others. All as in Pillow's `convert("RGB")`, but for gray of 16 bits,
/// which Pillow clips at 255 instead, and CMYK in TIFF files, which differs by 1 at most.
#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    baseline: Baseline,
    /// Pixels in the file's own colours, where they are not RGB.
    scratch: Vec<u8>,
}

/// A decoded image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Width and height as stored, before any orientation.
    pub size: Size,
    /// RGB, 8 bits, channels last (HWC), rows top down.
    pub pixels: Vec<u8>,
    /// What is odd in the file and yet harms no pixel.
    pub warnings: Vec<String>,
}

/// What is known of an image besides its pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// Format by content.
    pub format: Format,
    /// Width and height as stored, before any orientation.
    pub size: Size,
    /// What is odd in the file and yet harms no pixel.
    pub warnings: Vec<String>,
}

/// Why a file could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The content is of none of the formats.
    #[error("unknown image format (first bytes {first:02x?})")]
    UnknownFormat {
        /// Up to eight bytes from the start.
        first: Vec<u8>,
    },
    /// The image is over the limit of pixels. No damage: the limit can be raised.
    #[error("an image of {size} is over the limit of {max} pixels")]
    TooLarge {
        /// Size by the header.
        size: Size,
        /// [`Limits::max_pixels`].
        max: u64,
    },
    /// Decoding would need more memory than is allowed or left. No damage: the limit can be raised.
    #[error("decoding needs {need} bytes of memory, over the limit of {max}")]
    TooMuchMemory {
        /// Bytes needed, as far as known.
        need: u64,
        /// [`Limits::max_alloc`].
        max: u64,
    },
    /// Sound for all that is known, and of a kind that is not decoded here.
    #[error("unsupported {format:?} file: {cause}")]
    Unsupported {
        /// Format by content.
        format: Format,
        /// What is not supported.
        cause: String,
    },
    /// The file is truncated or damaged, anywhere in it.
    #[error("damaged {format:?} file: {cause}")]
    Damaged {
        /// Format by content.
        format: Format,
        /// What is wrong.
        cause: String,
    },
}

impl DecodeError {
    /// Whether the file may be sound, and a limit of ours is all that stands against it.
    pub fn is_limit(&self) -> bool {
        matches!(self, DecodeError::TooLarge { .. } | DecodeError::TooMuchMemory { .. })
    }
}

impl From<HeaderError> for DecodeError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Empty => DecodeError::Empty,
            HeaderError::UnknownFormat { first } => DecodeError::UnknownFormat { first },
            HeaderError::Damaged { format, cause } => {
                DecodeError::Damaged { format, cause: format!("header: {cause}") }
            }
            HeaderError::Unsupported { format, cause } => DecodeError::Unsupported { format, cause },
        }
    }
}

impl Decoder {
    /// A decoder that keeps to these limits.
    pub fn new(limits: Limits) -> Self {
        Decoder { limits, baseline: Baseline::default(), scratch: Vec::new() }
    }

    /// Decodes a file to pixels of their own.
    ///
    /// # Errors
    /// As [`Decoder::decode_into`].
    pub fn decode(&mut self, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        let mut pixels = Vec::new();
        let Info { size, warnings, .. } = self.decode_into(bytes, &mut pixels)?;
        Ok(Decoded { size, pixels, warnings })
    }

    /// Decodes a file to RGB, 8 bits, channels last, rows top down. What `pixels` held before is gone, its memory is used
    /// again.
    ///
    /// # Errors
    /// [`DecodeError`], also of a file of which only a part is damaged or missing; `pixels` is then empty.
    pub fn decode_into(&mut self, bytes: &[u8], pixels: &mut Vec<u8>) -> Result<Info, DecodeError> {
        self.decode_excerpt(bytes, |_| None, true, pixels).map(|(info, _)| info)
    }

    /// As [`Decoder::decode_into`], of an image of which only an excerpt is wanted: `excerpt` is told the size. If one is returned,
    /// `pixels` are [`Excerpt::pixels`]; else those of the whole image at its own size. That may be where it saves no time, and of a reduced
    /// excerpt if and only if the file is no JPEG file. Damage behind the window may be passed over unless it is `checked`: a file that
    /// was decoded once need not be.
    ///
    /// Reduced pixels are those of libjpeg-turbo (Pillow's `Image.draft`) at that fraction, to the bit.
    ///
    /// # Errors
    /// As [`Decoder::decode_into`].
    pub fn decode_excerpt(
        &mut self,
        bytes: &[u8],
        excerpt: impl FnOnce(Size) -> Option<Excerpt>,
        checked: bool,
        pixels: &mut Vec<u8>,
    ) -> Result<(Info, Option<Excerpt>), DecodeError> {
        let decoded = self.decode_any(bytes, excerpt, checked, pixels);
        if decoded.is_err() {
            pixels.clear();
        }
        decoded
    }

    /// Decodes the `count` masks of a sample, each encoded as `encoded` gives it: see [`mask()`].
    ///
    /// # Errors
    /// [`DecodeError`] of the first one that can't be decoded.
    pub fn masks<'b>(&self, count: usize, encoded: impl Fn(usize) -> &'b [u8]) -> Result<Vec<Mask>, DecodeError> {
        let decoded = |number| mask(encoded(number), &self.limits).map(|(size, classes)| Mask { size, classes });
        (0..count).map(decoded).collect()
    }

    /// Decodes a file for its errors and warnings alone, and looks closer than training needs: warns of data behind the last
    /// pixel of a JPEG file, a sign of damage that no decoder takes for an error. Takes up to twice as long.
    ///
    /// # Errors
    /// As [`Decoder::decode_into`].
    pub fn verify(&mut self, bytes: &[u8]) -> Result<Info, DecodeError> {
        let mut info = self.decode_into(bytes, &mut Vec::new())?;
        if info.format == Format::Jpeg
            && let Ok(Some(left @ 1..)) = header::unwinding(|| leftover::count(bytes))
        {
            info.warnings.push(format!("{left} bytes of data behind the last pixel"));
        }
        Ok(info)
    }

    fn decode_any(
        &mut self,
        bytes: &[u8],
        excerpt: impl FnOnce(Size) -> Option<Excerpt>,
        checked: bool,
        pixels: &mut Vec<u8>,
    ) -> Result<(Info, Option<Excerpt>), DecodeError> {
        let header::Header { format, size } = header::read(bytes)?;
        if size.area() > self.limits.max_pixels {
            return Err(DecodeError::TooLarge { size, max: self.limits.max_pixels });
        }
        let Decoder { limits, baseline, scratch } = self;
        let mut reduced = None;
        if format == Format::Jpeg {
            let whole = Excerpt::of(Window { x: 0, y: 0, size });
            let asked = excerpt(size);
            let wanted = Wanted { excerpt: asked.unwrap_or(whole), checked };
            // Should it panic, the complete decoder has its turn, as with all else that it does not take.
            if let Ok(Some(())) = header::unwinding(|| baseline.decode(limits, bytes, size, wanted, pixels)) {
                return Ok((Info { format, size, warnings: Vec::new() }, asked));
            }
            reduced = asked.filter(|excerpt| excerpt.reduction > 1);
        }
        let reduction = reduced.map_or(1, |excerpt| excerpt.reduction);
        let decoded = header::unwinding(|| match format {
            Format::Jpeg => jpeg::decode(limits, size, reduction, bytes, scratch, pixels),
            Format::Gif => gif::decode(limits, size, bytes, scratch, pixels),
            other => other::decode(limits, other, size, bytes, scratch, pixels),
        });
        let warnings = decoded.unwrap_or_else(|panic| {
            Err(DecodeError::Damaged { format, cause: format!("the decoder panicked: {panic}") })
        })?;
        if let Some(excerpt) = reduced {
            cut(pixels, excerpt.reduced(size), excerpt.pixels());
        }
        Ok((Info { format, size, warnings }, reduced))
    }
}

/// Leaves a window of the pixels of an image of `size`.
fn cut(pixels: &mut Vec<u8>, size: Size, window: Window) {
    let (stride, line) = (size.width as usize * 3, window.size.width as usize * 3);
    let first = window.y as usize * stride + window.x as usize * 3;
    for row in 0..window.size.height as usize {
        pixels.copy_within(first + row * stride..first + row * stride + line, row * line);
    }
    pixels.truncate(window.size.height as usize * line);
}

/// Makes a buffer as long as the values of an image; those it had before stay, as garbage.
fn resize(buffer: &mut Vec<u8>, size: Size, bytes_per_pixel: usize, limits: &Limits) -> Result<(), DecodeError> {
    let need = size.area() * bytes_per_pixel as u64;
    let too_much = DecodeError::TooMuchMemory { need, max: limits.max_alloc };
    match usize::try_from(need) {
        Ok(length) if need <= limits.max_alloc => {
            buffer.try_reserve_exact(length.saturating_sub(buffer.len())).map_err(|_| too_much)?;
            buffer.resize(length, 0);
            Ok(())
        }
        _ => Err(too_much),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_over_the_limit_is_refused_by_its_header() {
        // A frame header of 30000 x 30000, and nothing behind it.
        let bytes = [0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0x75, 0x30, 0x75, 0x30, 1, 1, 0x11, 0];
        let mut decoder = Decoder::new(Limits { max_pixels: 1 << 20, ..Limits::default() });
        let error = decoder.decode(&bytes).expect_err("over the limit");
        assert_eq!(error.to_string(), "an image of 30000x30000 is over the limit of 1048576 pixels");
        assert!(error.is_limit());
    }

    #[test]
    fn a_buffer_over_the_limit_is_refused() {
        let limits = Limits { max_pixels: 100, max_alloc: 29 };
        let mut buffer = vec![7; 4];
        assert!(resize(&mut buffer, Size::new(10, 1), 3, &limits).expect_err("30 bytes").is_limit());
        assert!(resize(&mut buffer, Size::new(9, 1), 3, &limits).is_ok());
        assert_eq!((buffer.len(), buffer[3], buffer[4]), (27, 7, 0));
    }
}
