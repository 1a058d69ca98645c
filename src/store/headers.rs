use crate::header::Format;
use crate::image::Size;

use super::verdicts::State;

/// What the headers of a split's samples say.
#[derive(Debug)]
pub(super) struct Headers {
    /// 0x0 where there is none; a header that was read has no zero.
    sizes: Box<[Size]>,
    formats: Box<[Option<Format>]>,
    smallest: Option<Size>,
    largest: Option<Size>,
    /// Bytes of all images that may be kept decoded, with what each costs beside its pixels.
    decoded_bytes: u64,
}

/// What one sample's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) format: Option<Format>,
    pub(super) size: Option<Size>,
    pub(super) state: State,
}

impl Headers {
    /// Bytes of memory of a sample.
    pub(super) const BYTES: usize = size_of::<Size>() + size_of::<Option<Format>>();

    pub(super) fn new(told: impl ExactSizeIterator<Item = Told>) -> Self {
        let mut sizes = Vec::with_capacity(told.len());
        let mut formats = Vec::with_capacity(told.len());
        let (mut smallest, mut largest) = (None, None);
        let mut decoded_bytes = 0_u64;
        for Told { format, size, state } in told {
            formats.push(format);
            sizes.push(size.unwrap_or(NONE));
            // Those that loading itself found damaged or too large will never be decoded.
            if let (Some(size), State::Unknown) = (size, state) {
                smallest = Some(each(smallest.unwrap_or(size), size, u32::min));
                largest = Some(each(largest.unwrap_or(size), size, u32::max));
                decoded_bytes = decoded_bytes.saturating_add(kept_bytes(size));
            }
        }
        Headers { sizes: sizes.into(), formats: formats.into(), smallest, largest, decoded_bytes }
    }

    pub(super) fn size(&self, index: usize) -> Option<Size> {
        Some(self.sizes[index]).filter(|size| *size != NONE)
    }

    pub(super) fn format(&self, index: usize) -> Option<Format> {
        self.formats[index]
    }

    pub(super) fn smallest(&self) -> Option<Size> {
        self.smallest
    }

    pub(super) fn largest(&self) -> Option<Size> {
        self.largest
    }

    pub(super) fn decoded_bytes(&self) -> u64 {
        self.decoded_bytes
    }
}

/// Bytes of an image of three channels.
pub(super) fn pixel_bytes(size: Size) -> u64 {
    size.area().saturating_mul(3)
}

/// Bytes that a kept image of this size takes: its pixels and what leads to them.
pub(super) fn kept_bytes(size: Size) -> u64 {
    pixel_bytes(size).saturating_add(size_of::<bytes::Bytes>() as u64)
}

fn each(a: Size, b: Size, choose: fn(u32, u32) -> u32) -> Size {
    Size::new(choose(a.width, b.width), choose(a.height, b.height))
}

const NONE: Size = Size::new(0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_and_sums_are_of_what_can_be_decoded() {
        let told = |width, height, state| Told { format: None, size: Some(Size::new(width, height)), state };
        let none = Told { format: Some(Format::Jpeg), size: None, state: State::Damaged };
        let all = [told(4, 9, State::Unknown), told(6, 2, State::Unknown), told(100, 100, State::TooLarge), none];
        let headers = Headers::new(all.into_iter());
        assert_eq!((headers.smallest(), headers.largest()), (Some(Size::new(4, 2)), Some(Size::new(6, 9))));
        assert_eq!(headers.decoded_bytes(), 3 * (36 + 12) + 2 * 32);
        assert_eq!((headers.size(2), headers.size(3)), (Some(Size::new(100, 100)), None));
        assert_eq!(headers.format(3), Some(Format::Jpeg));
        assert_eq!(Headers::new([none].into_iter()).smallest(), None);
    }

    #[test]
    fn the_largest_size_of_all_does_not_overflow() {
        let size = Size::new(u32::MAX, u32::MAX);
        let one = Told { format: None, size: Some(size), state: State::Unknown };
        assert_eq!(Headers::new([one, one].into_iter()).decoded_bytes(), u64::MAX);
    }
}
