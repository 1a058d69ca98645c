use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::multiplicative_noise::Pairs;
use super::{Noise, clamp, full_scale, range, recycle};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Adds normally distributed numbers.
struct GaussNoise {
    std: [f64; 2],
    mean: [f64; 2],
    per_channel: bool,
    full: f32,
}

/// What is drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Drawn {
    std: f64,
    mean: f64,
    /// Standard normal numbers.
    field: Noise,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Adds normally distributed numbers: `albumentations.GaussNoise` with the same numbers and a `noise_scale_factor` of 1. Exact:
albumentations cuts the fraction of what it adds to 8 bits off, toward 0. The numbers are independent, within 2e-6 of exact
normal ones, and never further than 5.77 standard deviations from the mean.",
    targets: Targets::Image,
    example: "gauss_noise = { std = [0.1, 0.2], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::GaussNoise, input: Form) -> Result<Built, Refusal> {
    let v1::GaussNoise { std, mean, per_channel, p } = message;
    let op = GaussNoise {
        std: range("std", std)?,
        mean: range("mean", mean)?,
        per_channel: per_channel.unwrap_or(true),
        full: full_scale(input)?,
    };
    Built::maybe(op, *p, input, input)
}

impl Op for GaussNoise {
    type Params = Drawn;
    const NAME: &'static str = "gauss_noise";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let std = rng.uniform(self.std);
        let mean = rng.uniform(self.mean);
        Drawn { std, mean, field: Noise::draw(rng) }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (full, channels) = (self.full, image.channels());
        let (std, mean) = (drawn.std as f32, drawn.mean as f32);
        let repeats = if self.per_channel { 1 } else { channels };
        let numbers = drawn.field.normals(image.size().area() as usize * channels / repeats, scratch);
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let f = |x, z| sum(x, (mean + std * z) * 255.0);
                Pairs { numbers: &numbers, repeats, values, f }.dispatch();
            }
            ValuesMut::F32(values) => {
                let f = |x, z| clamp(x + (mean + std * z) * full, full);
                Pairs { numbers: &numbers, repeats, values, f }.dispatch();
            }
        }
        recycle(numbers, scratch);
        image
    }
}

/// A value and a number whose fraction is cut off first, toward 0.
#[inline(always)]
#[allow(unsafe_code)]
fn sum(x: u8, number: f32) -> u8 {
    // No value is further from another, and NaN adds nothing that matters.
    let number = if number > -255.0 { number } else { -255.0 };
    let number = if number < 255.0 { number } else { 255.0 };
    // SAFETY: from -255 to 255. A checked cast does not become vectors.
    let whole = unsafe { number.to_int_unchecked::<i32>() };
    (i32::from(x) + whole).clamp(0, 255) as u8
}
