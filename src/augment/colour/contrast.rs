use feedline_proto::v1::{self, ContrastMethod};

use super::pass::{self, Step};
use super::pointwise::{clamp, map, map_channels, map_floats};
use super::{eight_bits_only, full_scale, grayscale, mean, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Raises or lowers the contrast.
struct Contrast {
    range: [f64; 2],
    method: ContrastMethod,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Raises or lowers the contrast. With one channel, that channel is the gray image.

- torchvision: `adjust_contrast` of a tensor. 8 bits exact where torch does not fuse multiplications with additions; where it
  does (x86-64 with AVX2), a value whose exact result is a whole number may differ by 1. Floats within 2e-6 of the full scale:
  the mean is summed in another order.
- tensorflow: `tf.image.adjust_contrast`. 8 bits exact, but for such values; floats within 2e-6.
- pillow: `ImageEnhance.Contrast`. Exact.
- zero: `albumentations.RandomBrightnessContrast` with a brightness of 0. Exact.",
    targets: Targets::Image,
    example: "contrast = { factor = [0.5, 1.5] }",
};

pub(in crate::augment) fn from_message(message: &v1::Contrast, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        ContrastMethod::Unspecified => ContrastMethod::Torchvision,
        method => method,
    };
    if method == ContrastMethod::Pillow {
        eight_bits_only(input, "pillow")?;
    }
    let op = Contrast { range: range("factor", &message.factor)?, method, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

/// The image with another contrast, for policies.
pub(in crate::augment) fn adjusted<'a>(
    image: Image<'a>,
    factor: f64,
    (method, full): (ContrastMethod, f32),
    scratch: &mut Scratch,
) -> Image<'a> {
    Contrast { range: [factor; 2], method, full }.apply(&factor, image, scratch)
}

impl Op for Contrast {
    type Params = f64;
    const NAME: &'static str = "contrast";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.range)
    }

    fn apply<'a>(&self, factor: &f64, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        match (image.values_mut(), self.method) {
            (ValuesMut::U8(values), ContrastMethod::Tensorflow) => tensorflow_bytes(values, channels, *factor as f32),
            (ValuesMut::F32(values), ContrastMethod::Tensorflow) => tensorflow_floats(values, channels, *factor as f32),
            // A product alone, which is what torchvision's brightness is too.
            (ValuesMut::U8(values), ContrastMethod::Zero) if channels == 3 => {
                pass::apply(values, &[Step::brightness(*factor)]);
            }
            (ValuesMut::U8(values), ContrastMethod::Zero) => {
                let factor = *factor as f32;
                map(values, |x| x * factor);
            }
            (ValuesMut::F32(values), ContrastMethod::Zero) => {
                let (factor, full) = (*factor as f32, self.full);
                map_floats(values, |x| clamp(x * factor, full));
            }
            (ValuesMut::U8(values), ContrastMethod::Pillow) => pillow(values, channels, *factor as f32),
            (ValuesMut::U8(values), _) => torchvision_bytes(values, channels, *factor),
            (ValuesMut::F32(values), _) => torchvision_floats(values, channels, *factor, self.full),
        }
        image
    }
}

pub(super) fn torchvision_bytes(values: &mut [u8], channels: usize, factor: f64) {
    if channels == 3 {
        let sum = pass::apply_summing(values, &[]);
        pass::apply(values, &[Step::contrast(factor, pass::mean(sum, values.len()))]);
    } else {
        let (mean, factor, rest) = (mean::of_bytes(values, 1, 0) as f32, factor as f32, (1.0 - factor) as f32);
        let offset = rest * mean;
        map(values, |x| x * factor + offset);
    }
}

pub(super) fn torchvision_floats(values: &mut [f32], channels: usize, factor: f64, full: f32) {
    let mean = match channels {
        3 => mean::of_floats(values, 3, |pixel| grayscale::torchvision_float(pixel[0], pixel[1], pixel[2])),
        _ => mean::of_floats(values, 1, |pixel| pixel[0]),
    };
    let (offset, factor) = ((1.0 - factor) as f32 * mean as f32, factor as f32);
    map_floats(values, |x| clamp(x * factor + offset, full));
}

fn tensorflow_bytes(values: &mut [u8], channels: usize, factor: f32) {
    let mut means = [0.0; 3];
    for (channel, mean) in means.iter_mut().enumerate().take(channels) {
        *mean = (mean::of_bytes(values, channels, channel) / 255.0) as f32;
    }
    map_channels(values, channels, |channel, x| {
        let x = x * (1.0 / 255.0);
        ((x - means[channel]) * factor + means[channel]) * 255.5
    });
}

fn tensorflow_floats(values: &mut [f32], channels: usize, factor: f32) {
    let mut means = [0.0; 3];
    for (channel, mean) in means.iter_mut().enumerate().take(channels) {
        *mean = mean::of_floats(values, channels, |pixel| pixel[channel]) as f32;
    }
    for pixel in values.chunks_exact_mut(channels) {
        pixel.iter_mut().zip(means).for_each(|(x, mean)| *x = (*x - mean) * factor + mean);
    }
}

pub(super) fn pillow(values: &mut [u8], channels: usize, factor: f32) {
    let mean = match channels {
        3 => {
            let sum: u64 = values.as_chunks::<3>().0.iter().map(|pixel| u64::from(grayscale::pillow(*pixel))).sum();
            sum as f64 / (values.len() / 3) as f64
        }
        _ => mean::of_bytes(values, 1, 0),
    };
    let mean = (mean + 0.5).floor() as f32;
    map(values, |x| mean + factor * (x - mean));
}
