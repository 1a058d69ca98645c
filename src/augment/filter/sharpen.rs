use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::border::Beyond;
use super::{full_scale, range, recycle};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Blends the image with the sharpened one.
struct Sharpen {
    alpha: [f64; 2],
    lightness: [f64; 2],
    full: f32,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Strength {
    alpha: f64,
    lightness: f64,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Blends the image with the sharpened one: `albumentations.Sharpen` of the method `kernel` (OpenCV's `filter2D`). 8 bits are
rounded; a value whose exact result is close to a half may differ by 1, since OpenCV sums in another order. Floats within 2e-6 of
the full scale.",
    targets: Targets::Image,
    example: "sharpen = { alpha = [0.4, 0.8], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Sharpen, input: Form) -> Result<Built, Refusal> {
    let v1::Sharpen { alpha, lightness, p } = message;
    let op =
        Sharpen { alpha: range("alpha", alpha)?, lightness: range("lightness", lightness)?, full: full_scale(input)? };
    Built::maybe(op, *p, input, input)
}

impl Op for Sharpen {
    type Params = Strength;
    const NAME: &'static str = "sharpen";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Strength {
        let alpha = rng.uniform(self.alpha);
        Strength { alpha, lightness: rng.uniform(self.lightness) }
    }

    fn apply<'a>(&self, strength: &Strength, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let Strength { alpha, lightness } = *strength;
        let middle = ((1.0 - alpha) as f32) + alpha as f32 * (8.0 + lightness as f32);
        let weights = [-alpha as f32, middle];
        let (size, channels) = (image.size(), image.channels());
        let (width, height) = (size.width as usize * channels, size.height as usize);
        let stride = width + 2 * channels;
        let mut padded = scratch.floats(stride * (height + 2));
        let mut values = image.values_mut();
        for (y, row) in padded.chunks_exact_mut(stride).enumerate() {
            let from = Beyond::Reflect.index(y as i64 - 1, height) * width;
            match &values {
                ValuesMut::U8(values) => {
                    Beyond::Reflect.pad(&values[from..from + width], channels, 1, row, f32::from);
                }
                ValuesMut::F32(values) => Beyond::Reflect.pad(&values[from..from + width], channels, 1, row, |x| x),
            }
        }
        for y in 0..height {
            let rows = [y, y + 1, y + 2].map(|y| &padded[y * stride..(y + 1) * stride]);
            let to = y * width..(y + 1) * width;
            match &mut values {
                ValuesMut::U8(values) => Row { rows, channels, weights, out: &mut values[to], full: 255.0 }.dispatch(),
                ValuesMut::F32(values) => {
                    Row { rows, channels, weights, out: &mut values[to], full: self.full }.dispatch();
                }
            }
        }
        recycle(padded, scratch);
        image
    }
}

/// One row, of it and its neighbours, padded.
struct Row<'a, T> {
    rows: [&'a [f32]; 3],
    channels: usize,
    /// Of the eight values around, and of the value itself.
    weights: [f32; 2],
    out: &'a mut [T],
    full: f32,
}

impl<T: Value> Kernel for Row<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Row { rows, channels, weights, out, full } = self;
        let length = out.len();
        let shifted: [[&[f32]; 3]; 3] = rows.map(|row| [0, 1, 2].map(|at| &row[at * channels..at * channels + length]));
        let [[a, b, c], [d, e, f], [g, h, i]] = shifted;
        for at in 0..length {
            let around = (a[at] + b[at] + c[at]) + (d[at] + f[at]) + (g[at] + h[at] + i[at]);
            let x = around * weights[0] + e[at] * weights[1];
            let x = if x > 0.0 { x } else { 0.0 };
            out[at] = T::of(if x < full { x } else { full });
        }
    }
}

/// A value of an image.
trait Value {
    /// Of a float from 0 to the full scale. Must be `#[inline(always)]`.
    fn of(x: f32) -> Self;
}

impl Value for u8 {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn of(x: f32) -> u8 {
        // SAFETY: from 0 to 255, as the row's `full` is 255. A checked cast does not become vectors.
        unsafe { x.round_ties_even().to_int_unchecked::<i32>() as u8 }
    }
}

impl Value for f32 {
    #[inline(always)]
    fn of(x: f32) -> f32 {
        x
    }
}
