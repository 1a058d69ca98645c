use feedline_proto::v1;

use super::hole::colour;
use super::recycle;
use crate::augment::noise::Noise;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Replaces single pixels.
struct PixelDropout {
    dropout_prob: f32,
    per_channel: bool,
    drop_value: [f32; 3],
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Replaces single pixels: `albumentations.PixelDropout` with the same pixels and without its `mask_drop_value`. Exact. A pixel goes
where its number, uniform in [0, 1), is below `dropout_prob`.",
    targets: Targets::Image,
    example: "pixel_dropout = { dropout_prob = 0.1, p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::PixelDropout, input: Form) -> Result<Built, Refusal> {
    let v1::PixelDropout { dropout_prob, per_channel, drop_value, p } = message;
    let op = PixelDropout {
        dropout_prob: dropout_prob.unwrap_or(0.01) as f32,
        per_channel: *per_channel,
        drop_value: colour("drop_value", drop_value)?,
    };
    Built::maybe(op, *p, input, input)
}

impl Op for PixelDropout {
    /// Uniform in [0, 1).
    type Params = Noise;
    const NAME: &'static str = "pixel_dropout";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Noise {
        Noise::draw(rng)
    }

    fn apply<'a>(&self, field: &Noise, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        let repeats = if self.per_channel { 1 } else { channels };
        let numbers = field.units(image.size().area() as usize * channels / repeats, scratch);
        match image.values_mut() {
            // A cast saturates.
            ValuesMut::U8(values) => self.drop(values, channels, &numbers, self.drop_value.map(|x| x as u8)),
            ValuesMut::F32(values) => self.drop(values, channels, &numbers, self.drop_value),
        }
        recycle(numbers, scratch);
        image
    }
}

impl PixelDropout {
    fn drop<T: Copy>(&self, values: &mut [T], channels: usize, numbers: &[f32], drop_value: [T; 3]) {
        let pixels = values.chunks_exact_mut(channels);
        if self.per_channel {
            for (pixel, numbers) in pixels.zip(numbers.chunks_exact(channels)) {
                for ((x, number), value) in pixel.iter_mut().zip(numbers).zip(drop_value) {
                    *x = if *number < self.dropout_prob { value } else { *x };
                }
            }
        } else {
            for (pixel, _) in pixels.zip(numbers).filter(|(_, number)| **number < self.dropout_prob) {
                pixel.iter_mut().zip(drop_value).for_each(|(x, value)| *x = value);
            }
        }
    }
}
