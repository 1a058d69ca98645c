use super::span::Area;
use crate::image::{Size, Window};

/// A value of a pixel.
pub(super) trait Value: Copy + Send + Sync + 'static {
    /// The same as a float, exactly.
    fn float(self) -> f32;

    /// What lies between `a` and `b`: TensorFlow's form, exact for equal values.
    fn between(a: Self, b: Self, fraction: f32) -> f32;

    /// Where floats of a row go that [`Value::finish`] makes values of: `out` itself, or `line`, which is as long. Not by way of
    /// closures, since those are not compiled for the instructions that their caller may use.
    fn begin<'a>(out: &'a mut [Self], line: &'a mut [f32]) -> &'a mut [f32];

    /// Makes a row of values of the floats.
    fn finish(out: &mut [Self], line: &[f32]);
}

impl Value for u8 {
    #[inline(always)]
    fn float(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn between(a: u8, b: u8, fraction: f32) -> f32 {
        // In the lowest bits of 2^23 both are floats at once, whose difference is the exact one: half as much is left to convert.
        const BASE: f32 = 8_388_608.0;
        let (a, b) = (f32::from_bits(BASE.to_bits() | u32::from(a)), f32::from_bits(BASE.to_bits() | u32::from(b)));
        (a - BASE) + (b - a) * fraction
    }

    #[inline(always)]
    fn begin<'a>(_: &'a mut [u8], line: &'a mut [f32]) -> &'a mut [f32] {
        line
    }

    #[inline(always)]
    fn finish(out: &mut [u8], line: &[f32]) {
        for (out, x) in out.iter_mut().zip(line) {
            // Added to 2^23, a float has no room for a fraction: it is rounded, half to even, and stands in the lowest bits.
            *out = (x.clamp(0.0, 255.0) + 8_388_608.0).to_bits() as u8;
        }
    }
}

impl Value for f32 {
    #[inline(always)]
    fn float(self) -> f32 {
        self
    }

    #[inline(always)]
    fn between(a: f32, b: f32, fraction: f32) -> f32 {
        a + (b - a) * fraction
    }

    #[inline(always)]
    fn begin<'a>(out: &'a mut [f32], _: &'a mut [f32]) -> &'a mut [f32] {
        out
    }

    #[inline(always)]
    fn finish(_: &mut [f32], _: &[f32]) {}
}

/// A window of an image, seen as an image of its own.
pub(super) struct Source<'a, T> {
    values: &'a [T],
    image: Size,
    channels: usize,
    /// Inside of the image.
    window: Window,
    /// What of the window is resized.
    area: Area,
}

impl<'a, T> Source<'a, T> {
    /// The `window`, which lies inside, of the image of size `image` that has these values.
    pub(super) fn new(values: &'a [T], image: Size, channels: usize, window: Window) -> Self {
        Source { values, image, channels, window, area: Area::all(window.size) }
    }

    /// The same, of which `area` is to be resized: the pixels that it has are those of the window.
    pub(super) fn of(self, area: Area) -> Self {
        debug_assert_eq!(area.pixels(), self.window.size);
        Source { area, ..self }
    }

    /// What is resized.
    pub(super) fn area(&self) -> &Area {
        &self.area
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

    /// Has a row of the window fetched into the second cache, for later: the first one takes fewer lines at once, and whoever asks it for
    /// more waits.
    #[inline(always)]
    pub(super) fn prefetch(&self, row: usize) {
        #[cfg(target_arch = "x86_64")]
        for line in self.row(row).chunks(64 / size_of::<T>()) {
            // SAFETY: a hint, which touches no memory.
            #[allow(unsafe_code)]
            unsafe {
                std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(line.as_ptr().cast());
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = row;
    }

    /// The values of a row of the window and the `more` that follow them in the image, if there are as many.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn row_with(&self, row: usize, more: usize) -> Option<&'a [T]> {
        let first = (self.window.y as usize + row) * self.image.width as usize + self.window.x as usize;
        self.values[first * self.channels..].get(..self.window.size.width as usize * self.channels + more)
    }
}
