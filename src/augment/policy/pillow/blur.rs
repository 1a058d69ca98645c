use crate::augment::op::Scratch;
use crate::image::{Image, Size, ValuesMut};
use crate::simd::Kernel;

/// The image blurred by Pillow's `GaussianBlur`: three boxes along the rows, three along the columns, each rounded to 8 bits.
pub(super) fn blurred<'a>(mut image: Image<'a>, radius: f64, scratch: &mut Scratch) -> Image<'a> {
    let radius = radius as f32;
    if radius.is_nan() || radius <= 0.0 {
        return image;
    }
    let cube = Cube::of(radius.min(MOST));
    let (width, channels) = (image.size().width as usize, image.channels());
    let row = width * channels;
    let ValuesMut::U8(values) = image.values_mut() else { return image };
    let margin = cube.radius + 1;
    let mut wide = scratch.bytes((values.len() + 2 * margin * row).max(row + 2 * margin * channels));
    for values in values.chunks_exact_mut(row) {
        for _ in 0..PASSES {
            let padded = &mut wide[..row + 2 * margin * channels];
            pad(padded, values, channels, margin);
            Along { padded, step: channels, cube, out: values }.dispatch();
        }
    }
    for _ in 0..PASSES {
        let padded = &mut wide[..values.len() + 2 * margin * row];
        pad(padded, values, row, margin);
        Along { padded, step: row, cube, out: values }.dispatch();
    }
    // Its size is of no matter: only the memory is kept.
    if let Ok(length) = u32::try_from(wide.len()) {
        scratch.recycle(Image::from_u8(Size::new(length, 1), 1, wide));
    }
    image
}

/// Boxes in each direction.
const PASSES: usize = 3;
/// Greatest radius: eight times what any policy draws.
const MOST: f32 = 16.0;

/// A box of a length that need not be odd: weights of 24 bits for what it holds whole, and for the pixel at either end that it holds
/// in part.
#[derive(Clone, Copy)]
struct Cube {
    radius: usize,
    whole: u32,
    part: u32,
}

impl Cube {
    /// The box that, applied three times, is nearest to a Gaussian of deviation `sigma`: Gwosdek et al., "Theoretical Foundations of
    /// Gaussian Convolution by Extended Box Filtering" (2011), formulas 7, 11 and 14.
    fn of(sigma: f32) -> Self {
        let variance = sigma * sigma / PASSES as f32;
        let length = (12.0 * f64::from(variance) + 1.0).sqrt() as f32;
        let whole = ((f64::from(length) - 1.0) / 2.0).floor() as f32;
        let above = (2.0 * whole + 1.0) * (whole * (whole + 1.0) - 3.0 * variance);
        let radius = whole + above / (6.0 * (variance - (whole + 1.0) * (whole + 1.0)));
        let inner = radius as usize;
        let weight = (ONE as f32 / (radius * 2.0 + 1.0)) as u32;
        let rest = ONE.saturating_sub((inner as u32 * 2 + 1).saturating_mul(weight));
        Cube { radius: inner, whole: weight, part: rest / 2 }
    }
}

/// A weight of 1.
const ONE: u32 = 1 << 24;

/// Writes `values` with `margin` copies of the first `step` values before them and of the last after them.
fn pad(padded: &mut [u8], values: &[u8], step: usize, margin: usize) {
    let (before, rest) = padded.split_at_mut(margin * step);
    let (middle, after) = rest.split_at_mut(values.len());
    middle.copy_from_slice(values);
    before.chunks_exact_mut(step).for_each(|pixel| pixel.copy_from_slice(&values[..step]));
    after.chunks_exact_mut(step).for_each(|pixel| pixel.copy_from_slice(&values[values.len() - step..]));
}

/// One box over values that are `step` apart. The weights are 2^24 in all, so that no sum leaves 32 bits.
struct Along<'b> {
    /// With `radius + 1` steps more on either side.
    padded: &'b [u8],
    step: usize,
    cube: Cube,
    out: &'b mut [u8],
}

impl Kernel for Along<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Along { padded, step, cube, out } = self;
        let length = out.len();
        let at = |index: usize| &padded[index * step..][..length];
        let last = 2 * cube.radius + 2;
        match cube.radius {
            // What policies draw, in registers.
            0 => fill(out, cube, (at(0), at(2)), [at(1)]),
            1 => fill(out, cube, (at(0), at(4)), [at(1), at(2), at(3)]),
            _ => {
                for (index, out) in out.iter_mut().enumerate() {
                    let sum: u32 = (1..last).map(|place| u32::from(padded[index + place * step])).sum();
                    let ends = u32::from(padded[index]) + u32::from(padded[index + last * step]);
                    *out = weighed(sum, ends, cube);
                }
            }
        }
    }
}

#[inline(always)]
fn fill<const N: usize>(out: &mut [u8], cube: Cube, (before, after): (&[u8], &[u8]), inner: [&[u8]; N]) {
    for index in 0..out.len().min(before.len()).min(after.len()) {
        let sum: u32 = inner.iter().map(|values| u32::from(values[index])).sum();
        out[index] = weighed(sum, u32::from(before[index]) + u32::from(after[index]), cube);
    }
}

#[inline(always)]
fn weighed(sum: u32, ends: u32, cube: Cube) -> u8 {
    ((sum * cube.whole + ends * cube.part + (ONE >> 1)) >> 24) as u8
}
