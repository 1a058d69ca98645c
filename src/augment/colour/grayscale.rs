use feedline_proto::v1::{self, GrayMethod};

use super::gray_pca::Along;
use super::pass::{self, Step};
use super::pointwise::{clamp, cut};
use super::{eight_bits_only, full_scale, lab, three_channels_only, whole};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Pixels, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Takes the colour away.
struct Grayscale {
    method: GrayMethod,
    channels: usize,
    /// Value of full brightness; 1 where there is none, and no method asks for it.
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Takes the colour away. An image of one channel stays as it is, or is repeated three times.

- torchvision: `rgb_to_grayscale` of a tensor. 8 bits: computed without error; torch's 32-bit floats miss a whole number, and
  are one lower, for 3 of the 2^24 colours (20 on processors that do not fuse multiplications with additions). Floats exact.
- tensorflow: `tf.image.rgb_to_grayscale`. Exact; refuses one channel, as it does.
- pillow: `Image.convert(\"L\")`. Exact.
- opencv: `cvtColor(COLOR_RGB2GRAY)`, `albumentations.ToGray`. 8 bits exact, floats within 2e-6.
- from_lab, desaturation, average, max: `albumentations.ToGray` with the method of that name. Exact; from_lab of floats by way of 8
  bits, average of floats within 1e-7.
- pca: `albumentations.ToGray(method=\"pca\")`, with OpenCV's sign of the axis, so that it is never the negative. 8 bits: within 1, hardly
  ever; floats within 5e-6. An image of one colour becomes black.",
    targets: Targets::Image,
    example: "grayscale = {}",
};

pub(in crate::augment) fn from_message(message: &v1::Grayscale, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        GrayMethod::Unspecified => GrayMethod::Torchvision,
        method => method,
    };
    match method {
        GrayMethod::Pillow => eight_bits_only(input, "pillow")?,
        GrayMethod::Tensorflow => three_channels_only(input, "tensorflow")?,
        _ => {}
    }
    let channels = match message.channels.unwrap_or(3) {
        1 => 1,
        3 => 3,
        other => return Err(Refusal::new("channels", other, "1 or 3")),
    };
    let full = match method {
        GrayMethod::FromLab | GrayMethod::Desaturation | GrayMethod::Pca => full_scale(input)?,
        _ => 1.0,
    };
    Built::maybe(Grayscale { method, channels, full }, message.p, input, Form { channels, ..input })
}

impl Op for Grayscale {
    type Params = ();
    const NAME: &'static str = "grayscale";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let size = image.size();
        if image.channels() == self.channels {
            match image.values_mut() {
                _ if self.channels == 1 => {}
                ValuesMut::U8(values) if self.method == GrayMethod::Torchvision => pass::apply(values, &[Step::GRAY]),
                ValuesMut::U8(values) if self.method == GrayMethod::Pillow => {
                    whole::apply(values.as_chunks_mut().0, whole::Gray { weights: PILLOW, divisor: 65536.0 });
                }
                ValuesMut::U8(values) if self.method == GrayMethod::Opencv => {
                    whole::apply(values.as_chunks_mut().0, whole::Gray { weights: OPENCV, divisor: 32768.0 });
                }
                ValuesMut::U8(pixels) => self.bytes(Target::Same(pixels.as_chunks_mut().0)),
                ValuesMut::F32(pixels) => self.floats(Target::Same(pixels.as_chunks_mut().0)),
            }
            return image;
        }
        let made = match image.pixels() {
            Pixels::U8(values) => {
                let mut out = scratch.bytes(size.area() as usize * self.channels);
                match self.channels {
                    3 => repeat(values, &mut out),
                    _ => self.bytes(Target::Narrow(values.as_chunks().0, &mut out)),
                }
                Image::from_u8(size, self.channels, out)
            }
            Pixels::F32(values) => {
                let mut out = scratch.floats(size.area() as usize * self.channels);
                match self.channels {
                    3 => repeat(values, &mut out),
                    _ => self.floats(Target::Narrow(values.as_chunks().0, &mut out)),
                }
                Image::from_f32(size, self.channels, out)
            }
        };
        scratch.recycle(image);
        made
    }
}

impl Grayscale {
    fn bytes(&self, target: Target<'_, u8>) {
        match self.method {
            GrayMethod::Tensorflow => Gray { target, of: tensorflow }.dispatch(),
            GrayMethod::Pillow => Gray { target, of: pillow }.dispatch(),
            GrayMethod::Opencv => Gray { target, of: opencv }.dispatch(),
            GrayMethod::FromLab => {
                let lightness = lab::Lightness::new();
                Gray { target, of: |pixel| lightness.of(pixel) }.dispatch();
            }
            GrayMethod::Desaturation => Gray { target, of: desaturation }.dispatch(),
            GrayMethod::Average => Gray { target, of: average }.dispatch(),
            GrayMethod::Max => Gray { target, of: |[r, g, b]: [u8; 3]| r.max(g).max(b) }.dispatch(),
            GrayMethod::Pca => {
                let along = Along::of_bytes(target.pixels());
                // From 0 to 255 but for the last bit; a cast saturates.
                Gray { target, of: |pixel: [u8; 3]| (along.of(pixel) * 255.0).round_ties_even() as u8 }.dispatch();
            }
            _ => Gray { target, of: torchvision }.dispatch(),
        }
    }

    fn floats(&self, target: Target<'_, f32>) {
        match self.method {
            GrayMethod::Opencv => {
                let of = |[r, g, b]: [f32; 3]| weighted([r, g, b], [0.299, 0.587, 0.114]);
                Gray { target, of }.dispatch();
            }
            GrayMethod::FromLab => {
                let (lightness, full) = (lab::Lightness::new(), self.full);
                let of = |pixel: [f32; 3]| {
                    // Rounded to even on the way in; a cast saturates.
                    let bytes = pixel.map(|x| (x * (255.0 / full)).round_ties_even() as u8);
                    f32::from(lightness.of(bytes)) / 255.0 * full
                };
                Gray { target, of }.dispatch();
            }
            GrayMethod::Desaturation => {
                let full = self.full;
                let of = |[r, g, b]: [f32; 3]| clamp((larger(r, larger(g, b)) + smaller(r, smaller(g, b))) / 2.0, full);
                Gray { target, of }.dispatch();
            }
            GrayMethod::Average => Gray { target, of: |[r, g, b]: [f32; 3]| (r + g + b) / 3.0 }.dispatch(),
            GrayMethod::Max => Gray { target, of: |[r, g, b]: [f32; 3]| larger(r, larger(g, b)) }.dispatch(),
            GrayMethod::Pca => {
                let (along, full) = (Along::of_floats(target.pixels()), self.full);
                Gray { target, of: |pixel: [f32; 3]| clamp(along.of(pixel) as f32 * full, full) }.dispatch();
            }
            // tf.image's weights are the same.
            _ => Gray { target, of: |[r, g, b]: [f32; 3]| torchvision_float(r, g, b) }.dispatch(),
        }
    }
}

fn repeat<T: Copy>(gray: &[T], pixels: &mut [T]) {
    pixels.as_chunks_mut().0.iter_mut().zip(gray).for_each(|(pixel, x)| *pixel = [*x; 3]);
}

/// Where the gray goes.
enum Target<'a, T> {
    /// Into an image of one channel.
    Narrow(&'a [[T; 3]], &'a mut [T]),
    /// Into all channels of the pixel.
    Same(&'a mut [[T; 3]]),
}

impl<T> Target<'_, T> {
    fn pixels(&self) -> &[[T; 3]] {
        match self {
            Target::Narrow(pixels, _) => pixels,
            Target::Same(pixels) => pixels,
        }
    }
}

struct Gray<'a, T, F> {
    target: Target<'a, T>,
    of: F,
}

impl<T: Copy, F: Fn([T; 3]) -> T> Kernel for Gray<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        match self.target {
            Target::Narrow(pixels, gray) => {
                gray.iter_mut().zip(pixels).for_each(|(out, pixel)| *out = (self.of)(*pixel));
            }
            Target::Same(pixels) => pixels.iter_mut().for_each(|pixel| *pixel = [(self.of)(*pixel); 3]),
        }
    }
}

#[inline(always)]
fn torchvision([r, g, b]: [u8; 3]) -> u8 {
    pass::gray(r, g, b)
}

#[inline(always)]
pub(super) fn torchvision_float(r: f32, g: f32, b: f32) -> f32 {
    weighted([r, g, b], [0.2989, 0.587, 0.114])
}

#[inline(always)]
fn tensorflow(pixel: [u8; 3]) -> u8 {
    let [r, g, b] = pixel.map(|x| f32::from(x) * (1.0 / 255.0));
    cut(torchvision_float(r, g, b) * 255.5)
}

/// Weights of [`pillow`]: 255 times their sum, and the half to round with, are below 2^24.
const PILLOW: [f32; 3] = [19595.0, 38470.0, 7471.0];
/// Weights of [`opencv`].
pub(super) const OPENCV: [f32; 3] = [9798.0, 19235.0, 3735.0];

/// Pillow's "L".
#[inline(always)]
pub(super) fn pillow(pixel: [u8; 3]) -> u8 {
    let [r, g, b] = pixel.map(u32::from);
    ((19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16) as u8
}

#[inline(always)]
pub(super) fn opencv(pixel: [u8; 3]) -> u8 {
    let [r, g, b] = pixel.map(u32::from);
    ((9798 * r + 19235 * g + 3735 * b + 16384) >> 15) as u8
}

#[inline(always)]
fn desaturation([r, g, b]: [u8; 3]) -> u8 {
    ((u16::from(r.max(g).max(b)) + u16::from(r.min(g).min(b))) / 2) as u8
}

#[inline(always)]
fn average(pixel: [u8; 3]) -> u8 {
    let [r, g, b] = pixel.map(u16::from);
    ((r + g + b) / 3) as u8
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn weighted([r, g, b]: [f32; 3], [x, y, z]: [f32; 3]) -> f32 {
    r * x + g * y + b * z
}
