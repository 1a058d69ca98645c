use super::float::Grid;
use super::source::Source;
use super::span::Area;
use crate::augment::op::Scratch;
use crate::image::{Image, Pixels, Size, Window};

/// Resizing to floats that is left to whoever looks at the image.
#[derive(Debug)]
pub(in crate::augment) struct Resizing {
    grid: Grid,
    window: Window,
    area: Area,
    to: Size,
}

impl Resizing {
    /// Of the `area` of the pixels of the `window` of an image.
    pub(super) fn new(grid: Grid, window: Window, area: Area, to: Size) -> Self {
        Resizing { grid, window, area, to }
    }

    /// Size of the result.
    pub(in crate::augment) fn size(&self) -> Size {
        self.to
    }

    /// Makes the result mirrored, left and right, which takes no longer.
    pub(in crate::augment) fn mirror(&mut self) {
        self.grid.mirror();
    }

    /// Floats that [`Resizing::rows`] works with.
    pub(in crate::augment) fn work(&self, image: &Image<'_>) -> usize {
        self.grid.work(self.window.size.width, image.channels())
    }

    /// Makes the rows of the result from row `first` on, as many as `out` has room for.
    pub(in crate::augment) fn rows(&self, image: &Image<'_>, first: usize, work: &mut [f32], out: &mut [f32]) {
        match image.pixels() {
            Pixels::U8(values) => {
                let source = Source::new(values, image.size(), image.channels(), self.window).of(self.area);
                self.grid.rows(&source, first, work, out);
            }
            Pixels::F32(values) => {
                let source = Source::new(values, image.size(), image.channels(), self.window).of(self.area);
                self.grid.rows(&source, first, work, out);
            }
        }
    }

    /// The whole result.
    pub(in crate::augment) fn image(&self, image: &Image<'_>, scratch: &mut Scratch) -> Image<'static> {
        let mut out = scratch.floats(self.to.area() as usize * image.channels());
        let mut work = scratch.floats(self.work(image));
        self.rows(image, 0, &mut work, &mut out);
        scratch.recycle_floats(work);
        Image::from_f32(self.to, image.channels(), out)
    }
}
