use crate::image::{Excerpt, Size};

/// What is resized, along one direction: a stretch of the pixels that are there. It begins and ends between two of them where the image
/// was reduced while it was decoded, as with the `box` of Pillow's `resize`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::augment) struct Span {
    /// Where it begins, in pixels of the image before it was reduced, from the first pixel there is on.
    first: u32,
    /// Its length, in the same.
    length: u32,
    /// Of how many of them each pixel was made.
    reduction: u32,
}

impl Span {
    /// All of as many pixels.
    pub(super) fn all(pixels: u32) -> Span {
        Span { first: 0, length: pixels, reduction: 1 }
    }

    /// Pixels that are there.
    pub(super) fn pixels(&self) -> u32 {
        (self.first + self.length).div_ceil(self.reduction)
    }

    /// Whether as many output pixels are those that are there.
    pub(super) fn is_all(&self, to: u32) -> bool {
        (self.first, self.length) == (0, to * self.reduction)
    }

    /// Where it begins, in pixels.
    pub(super) fn start(&self) -> f64 {
        f64::from(self.first) / f64::from(self.reduction)
    }

    /// Pixels per output pixel.
    pub(super) fn scale(&self, to: u32) -> f64 {
        f64::from(self.length) / f64::from(self.reduction) / f64::from(to)
    }

    /// Which pixel is nearest to output pixel `x` of `to`: the one at its centre, or at its left upper corner. In whole numbers.
    pub(super) fn nearest(&self, x: u32, to: u32, by_centre: bool) -> usize {
        let (x, length, to) = (u64::from(x), u64::from(self.length), u64::from(to));
        let place = if by_centre { (2 * x + 1) * length / (2 * to) } else { x * length / to };
        ((u64::from(self.first) + place) / u64::from(self.reduction)) as usize
    }
}

/// What is resized: a span of columns, and one of rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) columns: Span,
    pub(super) rows: Span,
}

impl Area {
    /// All of an image of this size.
    pub(super) fn all(size: Size) -> Area {
        Area { columns: Span::all(size.width), rows: Span::all(size.height) }
    }

    /// The window of an excerpt, of which [`Excerpt::pixels`] are there.
    pub(super) fn of(Excerpt { window, reduction }: Excerpt) -> Area {
        let span = |first: u32, length: u32| Span { first: first % reduction, length, reduction };
        Area { columns: span(window.x, window.size.width), rows: span(window.y, window.size.height) }
    }

    /// The pixels that are there.
    pub(super) fn pixels(&self) -> Size {
        Size::new(self.columns.pixels(), self.rows.pixels())
    }

    /// Whether an image of size `to` is what is there.
    pub(super) fn is_all(&self, to: Size) -> bool {
        self.columns.is_all(to.width) && self.rows.is_all(to.height)
    }
}
