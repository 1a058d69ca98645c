use std::io::Cursor;

use image::{ImageFormat, ImageReader};

use crate::image::Size;

/// A file format, told by content, never by the file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JPEG: baseline or progressive; gray, YCbCr, RGB, CMYK.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless.
    WebP,
    /// GIF; of an animation the first frame.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF; of several pages the first.
    Tiff,
}

/// What the first bytes of a file say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Format.
    pub format: Format,
    /// Size as stored, before any orientation is applied.
    pub size: Size,
}

/// Why a file is no image that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The file has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The content is of none of the formats.
    #[error("unknown image format (first bytes {first:02x?})")]
    UnknownFormat {
        /// Up to eight bytes from the start.
        first: Vec<u8>,
    },
    /// The format is known, its header is not whole or makes no sense.
    #[error("damaged {format:?} header: {cause}")]
    Damaged {
        /// Format by the first bytes.
        format: Format,
        /// What is wrong.
        cause: String,
    },
}

/// Reads the header of an image file.
///
/// # Errors
/// [`HeaderError`], if the file is not an image of a known format or is damaged in its first bytes.
pub fn read(bytes: &[u8]) -> Result<Header, HeaderError> {
    if bytes.is_empty() {
        return Err(HeaderError::Empty);
    }
    let format =
        sniff(bytes).ok_or_else(|| HeaderError::UnknownFormat { first: bytes[..bytes.len().min(8)].to_vec() })?;
    let damaged = |cause: String| HeaderError::Damaged { format, cause };
    let (width, height) = match format {
        Format::Jpeg => jpeg_size(bytes).map_err(|cause| damaged(cause.into()))?,
        other => {
            let reader = ImageReader::with_format(Cursor::new(bytes), other.of_image_crate());
            reader.into_dimensions().map_err(|error| damaged(error.to_string()))?
        }
    };
    if width == 0 || height == 0 {
        return Err(damaged(format!("a size of {width}x{height}")));
    }
    Ok(Header { format, size: Size::new(width, height) })
}

/// The format by the first bytes.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Format::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Format::Gif),
        [b'B', b'M', ..] => Some(Format::Bmp),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some(Format::Tiff),
        _ => None,
    }
}

impl Format {
    /// The same, named by the `image` crate.
    pub fn of_image_crate(self) -> ImageFormat {
        match self {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
            Format::WebP => ImageFormat::WebP,
            Format::Gif => ImageFormat::Gif,
            Format::Bmp => ImageFormat::Bmp,
            Format::Tiff => ImageFormat::Tiff,
        }
    }
}

/// Width and height of the first frame header. Walks the segments before it, so that no pixel is touched.
fn jpeg_size(bytes: &[u8]) -> Result<(u32, u32), &'static str> {
    let mut at = 2;
    loop {
        // Any number of 0xff may fill the space before a marker.
        while bytes.get(at) == Some(&0xff) && bytes.get(at + 1) == Some(&0xff) {
            at += 1;
        }
        let [0xff, marker, ..] = bytes[at.min(bytes.len())..] else { return Err("ends before the frame header") };
        let [high, low, rest @ ..] = &bytes[(at + 2).min(bytes.len())..] else {
            return Err("ends before the frame header");
        };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        match marker {
            // Frame headers; c4, c8 and cc are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let [_, h1, h0, w1, w0, ..] = *rest else { return Err("ends in the frame header") };
                return Ok((u32::from(u16::from_be_bytes([w1, w0])), u32::from(u16::from_be_bytes([h1, h0]))));
            }
            0xd9 | 0xda => return Err("has no frame header"),
            _ if length < 2 => return Err("a segment shorter than its own length"),
            _ => at += 2 + length,
        }
    }
}
