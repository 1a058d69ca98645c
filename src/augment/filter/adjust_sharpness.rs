use feedline_proto::v1::{self, SharpnessMethod};

use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Depth, Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Blends the image with the smoothed one, in either direction.
struct AdjustSharpness {
    factor: [f64; 2],
    method: SharpnessMethod,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Blends the image with the smoothed one; the outermost pixels, and images of less than 3 pixels a side, stay as they are.

- torchvision: `adjust_sharpness` of a tensor. 8 bits exact where torch does not fuse multiplications with additions; where it does,
  a value whose exact result is a whole number may differ by 1. Floats within 1e-6 of the full scale, times the factor's distance
  from 1.
- pillow: `ImageEnhance.Sharpness`. Exact.",
    targets: Targets::Image,
    example: "adjust_sharpness = { factor = [2.0, 4.0], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::AdjustSharpness, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        SharpnessMethod::Unspecified => SharpnessMethod::Torchvision,
        method => method,
    };
    if method == SharpnessMethod::Pillow && input.depth != Depth::U8 {
        let expected = "an image of 8 bits: put it before `to_float`, or choose another method";
        return Err(Refusal::new("method", "pillow on floats", expected));
    }
    let op = AdjustSharpness { factor: range("factor", &message.factor)?, method, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

/// The image with another sharpness, for policies.
pub(in crate::augment) fn adjusted<'a>(
    image: Image<'a>,
    factor: f64,
    (method, full): (SharpnessMethod, f32),
    scratch: &mut Scratch,
) -> Image<'a> {
    AdjustSharpness { factor: [factor; 2], method, full }.apply(&factor, image, scratch)
}

impl Op for AdjustSharpness {
    type Params = f64;
    const NAME: &'static str = "adjust_sharpness";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.factor)
    }

    fn apply<'a>(&self, factor: &f64, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (size, channels) = (image.size(), image.channels());
        let (width, height) = (size.width as usize * channels, size.height as usize);
        if size.width < 3 || size.height < 3 {
            return image;
        }
        let (factor, full) = (*factor, self.full);
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let mut source = scratch.bytes(values.len());
                source.copy_from_slice(values);
                for y in 1..height - 1 {
                    let rows = [y - 1, y, y + 1].map(|y| &source[y * width..(y + 1) * width]);
                    let out = &mut values[y * width + channels..(y + 1) * width - channels];
                    match self.method {
                        SharpnessMethod::Pillow => {
                            Bytes { rows, channels, out, blend: Pillow(factor as f32) }.dispatch()
                        }
                        _ => {
                            let blend = Torchvision((1.0 - factor) as f32);
                            Bytes { rows, channels, out, blend }.dispatch();
                        }
                    }
                }
                scratch.recycle(Image::from_u8(size, channels, source));
            }
            ValuesMut::F32(values) => {
                let mut source = scratch.floats(values.len());
                source.copy_from_slice(values);
                for y in 1..height - 1 {
                    let rows = [y - 1, y, y + 1].map(|y| &source[y * width..(y + 1) * width]);
                    let out = &mut values[y * width + channels..(y + 1) * width - channels];
                    Floats { rows, channels, out, rest: (1.0 - factor) as f32 }.dispatch();
                }
                // The outermost pixels are clamped too.
                values.iter_mut().for_each(|x| *x = x.max(0.0).min(full));
                scratch.recycle(Image::from_f32(size, channels, source));
            }
        }
        image
    }
}

/// How a value and the smoothed one become one.
trait Blend {
    /// The blend, before it is clamped and cut off. Must be `#[inline(always)]`.
    fn blend(&self, value: f32, smooth: f32) -> f32;
}

/// With what is left of 1.
struct Torchvision(f32);

impl Blend for Torchvision {
    #[inline(always)]
    fn blend(&self, value: f32, smooth: f32) -> f32 {
        value + (smooth - value) * self.0
    }
}

/// With the factor.
struct Pillow(f32);

impl Blend for Pillow {
    #[inline(always)]
    fn blend(&self, value: f32, smooth: f32) -> f32 {
        smooth + self.0 * (value - smooth)
    }
}

/// One row but its first and last pixel, of it and its neighbours.
struct Bytes<'a, B> {
    rows: [&'a [u8]; 3],
    channels: usize,
    out: &'a mut [u8],
    blend: B,
}

impl<B: Blend> Kernel for Bytes<'_, B> {
    type Output = ();

    #[inline(always)]
    #[allow(unsafe_code)]
    fn run(self) {
        let Bytes { rows, channels, out, blend } = self;
        let length = out.len();
        let shifted: [[&[u8]; 3]; 3] = rows.map(|row| [0, 1, 2].map(|at| &row[at * channels..at * channels + length]));
        let [[a, b, c], [d, e, f], [g, h, i]] = shifted;
        for at in 0..length {
            let above = u16::from(a[at]) + u16::from(b[at]) + u16::from(c[at]);
            let below = u16::from(g[at]) + u16::from(h[at]) + u16::from(i[at]);
            let sum = above + u16::from(d[at]) + 5 * u16::from(e[at]) + u16::from(f[at]) + below;
            // Thirteenths have no half.
            let smooth = f32::from((sum + 6) / 13);
            let x = blend.blend(f32::from(e[at]), smooth);
            let x = if x > 0.0 { x } else { 0.0 };
            let x = if x < 255.0 { x } else { 255.0 };
            // SAFETY: from 0 to 255. A checked cast does not become vectors.
            out[at] = unsafe { x.to_int_unchecked::<i32>() as u8 };
        }
    }
}

/// One row but its first and last pixel, of it and its neighbours.
struct Floats<'a> {
    rows: [&'a [f32]; 3],
    channels: usize,
    out: &'a mut [f32],
    rest: f32,
}

impl Kernel for Floats<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Floats { rows, channels, out, rest } = self;
        let length = out.len();
        let shifted: [[&[f32]; 3]; 3] = rows.map(|row| [0, 1, 2].map(|at| &row[at * channels..at * channels + length]));
        let [[a, b, c], [d, e, f], [g, h, i]] = shifted;
        let (edge, middle) = (1.0 / 13.0, 5.0 / 13.0);
        for at in 0..length {
            let around = (a[at] + b[at] + c[at]) + (d[at] + f[at]) + (g[at] + h[at] + i[at]);
            let smooth = around * edge + e[at] * middle;
            out[at] = e[at] + (smooth - e[at]) * rest;
        }
    }
}
