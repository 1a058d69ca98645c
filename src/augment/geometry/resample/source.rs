use crate::image::{Size, Window};

/// A value of a pixel.
pub(super) trait Value: Copy + Send + Sync + 'static {
    /// The same as a float, exactly.
    fn float(self) -> f32;

    /// The value nearest to `x`.
    fn nearest(x: f32) -> Self;
}

impl Value for u8 {
    #[inline(always)]
    fn float(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn nearest(x: f32) -> u8 {
        // The cast cuts off, and saturates at 0 and 255.
        (x + 0.5) as u8
    }
}

impl Value for f32 {
    #[inline(always)]
    fn float(self) -> f32 {
        self
    }

    #[inline(always)]
    fn nearest(x: f32) -> f32 {
        x
    }
}

/// A window of an image, seen as an image of its own.
pub(super) struct Source<'a, T> {
    values: &'a [T],
    image: Size,
    channels: usize,
    /// Inside of the image.
    window: Window,
}

impl<'a, T> Source<'a, T> {
    /// The `window`, which lies inside, of the image of size `image` that has these values.
    pub(super) fn new(values: &'a [T], image: Size, channels: usize, window: Window) -> Self {
        Source { values, image, channels, window }
    }

    /// Size of the window.
    pub(super) fn size(&self) -> Size {
        self.window.size
    }

    /// 1 or 3.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// The values of a row of the window.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &'a [T] {
        let first = (self.window.y as usize + row) * self.image.width as usize + self.window.x as usize;
        &self.values[first * self.channels..][..self.window.size.width as usize * self.channels]
    }

    /// The whole image, and the window in it.
    pub(super) fn parts(&self) -> (&'a [T], Size, Window) {
        (self.values, self.image, self.window)
    }
}
