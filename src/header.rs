use std::io::Cursor;

use image::{ImageError, ImageFormat, ImageReader};

use crate::image::Size;

pub(crate) use segments::{Segment, Segments};
pub(crate) use unwinding::unwinding;

mod segments;
mod unwinding;

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
    /// The format is known, the file is of a kind that is not read here.
    #[error("unsupported {format:?} file: {cause}")]
    Unsupported {
        /// Format by the first bytes.
        format: Format,
        /// What is not supported.
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
            match unwinding(|| reader.into_dimensions()) {
                Ok(Ok(size)) => size,
                Ok(Err(error @ ImageError::Unsupported(_))) => {
                    return Err(HeaderError::Unsupported { format, cause: error.to_string() });
                }
                Ok(Err(error)) => return Err(damaged(error.to_string())),
                Err(panic) => return Err(damaged(format!("the decoder panicked: {panic}"))),
            }
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

/// Whether a JPEG marker starts a frame header. 0xc4, 0xc8 and 0xcc are tables.
pub(crate) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

/// Width and height of the first frame header. Walks the segments before it, so that no pixel is touched.
fn jpeg_size(bytes: &[u8]) -> Result<(u32, u32), &'static str> {
    let mut segments = Segments::new(bytes);
    while let Some(Segment { marker, content, .. }) = segments.next()? {
        match (marker, content) {
            (frame, [_, h1, h0, w1, w0, ..]) if is_frame(frame) => {
                return Ok((u32::from(u16::from_be_bytes([*w1, *w0])), u32::from(u16::from_be_bytes([*h1, *h0]))));
            }
            (frame, _) if is_frame(frame) => return Err("ends in the frame header"),
            (0xd9 | 0xda, _) => return Err("has no frame header"),
            _ => {}
        }
    }
    Err("ends before the frame header")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A JPEG file up to its frame header, with these segments before it.
    fn jpeg(before: &[u8], width: u16, height: u16) -> Vec<u8> {
        let [h1, h0] = height.to_be_bytes();
        let [w1, w0] = width.to_be_bytes();
        let frame = [0xff, 0xc0, 0, 11, 8, h1, h0, w1, w0, 1, 1, 0x11, 0];
        [&[0xff, 0xd8], before, &frame].concat()
    }

    fn size(bytes: &[u8]) -> Result<Size, HeaderError> {
        read(bytes).map(|header| header.size)
    }

    #[test]
    fn the_size_is_found_behind_many_segments_and_fill_bytes() {
        let segment = [0xff, 0xe1, 0, 6, 0xff, 0xc0, 0xff, 0xff];
        let many = segment.repeat(1000);
        assert_eq!(size(&jpeg(&many, 640, 480)), Ok(Size::new(640, 480)));
        let filled = [&[0xff; 1000][..], &segment[1..]].concat();
        assert_eq!(size(&jpeg(&filled, 3, 65535)), Ok(Size::new(3, 65535)));
        let stray = [&segment[..], b"stray"].concat();
        assert_eq!(size(&jpeg(&stray, 1, 1)), Ok(Size::new(1, 1)));
    }

    #[test]
    fn every_prefix_of_a_header_is_an_error() {
        let whole = jpeg(&[0xff, 0xfe, 0, 4, b'h', b'i'], 5, 4);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "the first {end} bytes");
        }
        assert_eq!(read(&[]), Err(HeaderError::Empty));
    }

    #[test]
    fn sizes_that_lie_are_told() {
        let cause = |bytes: &[u8]| read(bytes).expect_err("a damaged header").to_string();
        assert_eq!(cause(&jpeg(&[], 0, 7)), "damaged Jpeg header: a size of 0x7");
        assert_eq!(cause(&jpeg(&[0xff, 0xe0, 0xff, 0xff], 1, 1)), "damaged Jpeg header: ends in a segment");
        assert_eq!(
            cause(&jpeg(&[0xff, 0xe0, 0, 1], 1, 1)),
            "damaged Jpeg header: a segment is shorter than its own length"
        );
        assert_eq!(cause(&jpeg(&[0xff, 0xd9], 1, 1)), "damaged Jpeg header: has no frame header");
        assert_eq!(cause(&[0xff, 0xd8, 0xff, 0xc0, 0, 5, 8, 0, 1]), "damaged Jpeg header: ends in the frame header");
    }

    #[test]
    fn the_format_is_told_by_the_content() {
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n"), Some(Format::Png));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some(Format::WebP));
        assert_eq!(sniff(b"GIF89a"), Some(Format::Gif));
        assert_eq!(sniff(b"MM\0*"), Some(Format::Tiff));
        assert_eq!(sniff(b"RIFF\0\0\0\0WAVE"), None);
        let text = HeaderError::UnknownFormat { first: b"not an i".to_vec() };
        assert_eq!(read(b"not an image"), Err(text));
    }
}
