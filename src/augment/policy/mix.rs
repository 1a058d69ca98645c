use crate::augment::op::Scratch;
use crate::image::{Image, Pixels, ValuesMut};
use crate::simd::Kernel;

/// A sum of images of one size and type, each times its weight, in 32-bit floats and in the order in which they are added.
pub(super) struct Mix {
    sums: Vec<f32>,
}

impl Mix {
    /// Begins with an image.
    pub(super) fn new(image: &Image<'_>, weight: f64, scratch: &mut Scratch) -> Self {
        let mut sums = scratch.floats(length(image));
        match image.pixels() {
            Pixels::U8(values) => First { sums: &mut sums, values, weight: weight as f32 }.dispatch(),
            Pixels::F32(values) => First { sums: &mut sums, values, weight: weight as f32 }.dispatch(),
        }
        Mix { sums }
    }

    /// Adds another one.
    pub(super) fn add(&mut self, image: &Image<'_>, weight: f64) {
        match image.pixels() {
            Pixels::U8(values) => Add { sums: &mut self.sums, values, weight: weight as f32 }.dispatch(),
            Pixels::F32(values) => Add { sums: &mut self.sums, values, weight: weight as f32 }.dispatch(),
        }
    }

    /// Writes the sum into `image`; 8 bits are clamped and cut off.
    pub(super) fn write(self, image: &mut Image<'_>, scratch: &mut Scratch) {
        match image.values_mut() {
            ValuesMut::U8(values) => Cut { sums: &self.sums, values }.dispatch(),
            ValuesMut::F32(values) => values.copy_from_slice(&self.sums),
        }
        scratch.recycle(Image::from_f32(image.size(), image.channels(), self.sums));
    }
}

/// A copy in memory of the worker's, which the ops of a chain may change.
pub(super) fn copy<'a>(image: &Image<'_>, scratch: &mut Scratch) -> Image<'a> {
    match image.pixels() {
        Pixels::U8(values) => {
            let mut out = scratch.bytes(values.len());
            out.copy_from_slice(values);
            Image::from_u8(image.size(), image.channels(), out)
        }
        Pixels::F32(values) => {
            let mut out = scratch.floats(values.len());
            out.copy_from_slice(values);
            Image::from_f32(image.size(), image.channels(), out)
        }
    }
}

/// `image` where `weight` is 0, `other` where it is 1, and between them what lies between, cut off: Pillow's `Image.blend` of 8
/// bits.
pub(super) fn blend(image: &mut Image<'_>, other: &Image<'_>, weight: f64) {
    if let (ValuesMut::U8(values), Some(others)) = (image.values_mut(), other.as_u8()) {
        Blend { values, others, weight: weight as f32 }.dispatch();
    }
}

fn length(image: &Image<'_>) -> usize {
    match image.pixels() {
        Pixels::U8(values) => values.len(),
        Pixels::F32(values) => values.len(),
    }
}

struct First<'m, T> {
    sums: &'m mut [f32],
    values: &'m [T],
    weight: f32,
}

impl<T: Copy + Into<f32>> Kernel for First<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.sums.iter_mut().zip(self.values).for_each(|(sum, x)| *sum = (*x).into() * self.weight);
    }
}

struct Add<'m, T> {
    sums: &'m mut [f32],
    values: &'m [T],
    weight: f32,
}

impl<T: Copy + Into<f32>> Kernel for Add<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.sums.iter_mut().zip(self.values).for_each(|(sum, x)| *sum += (*x).into() * self.weight);
    }
}

struct Cut<'m> {
    sums: &'m [f32],
    values: &'m mut [u8],
}

impl Kernel for Cut<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.values.iter_mut().zip(self.sums).for_each(|(x, sum)| *x = cut(*sum));
    }
}

struct Blend<'m> {
    values: &'m mut [u8],
    others: &'m [u8],
    weight: f32,
}

impl Kernel for Blend<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (x, other) in self.values.iter_mut().zip(self.others) {
            let difference = i32::from(*other) - i32::from(*x);
            *x = cut(f32::from(*x) + self.weight * difference as f32);
        }
    }
}

/// `x` clamped to 0 to 255, its fraction cut off; NaN is 0.
#[inline(always)]
#[allow(unsafe_code)]
fn cut(x: f32) -> u8 {
    let x = if x > 0.0 { x } else { 0.0 };
    let x = if x < 255.0 { x } else { 255.0 };
    // SAFETY: from 0 to 255. A checked cast is several instructions and does not become vectors.
    unsafe { x.to_int_unchecked::<i32>() as u8 }
}
