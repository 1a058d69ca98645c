use feedline_proto::v1::{self, HueMethod};

use super::{full_scale, hue_loop, range, three_channels_only};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// Turns the hue.
struct Hue {
    range: [f64; 2],
    method: HueMethod,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Turns the hue.

- torchvision: `adjust_hue` of a tensor, from -0.5 to 0.5; an image of one channel stays as it is. Exact; floats at a scale
  other than 1 within 1e-6 of it, since it takes them at 1 only.
- tensorflow: `tf.image.adjust_hue`. Exact, with the same exception; refuses one channel, as it does.",
    targets: Targets::Image,
    example: "hue = { delta = [-0.5, 0.5] }",
};

pub(in crate::augment) fn from_message(message: &v1::Hue, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        HueMethod::Unspecified => HueMethod::Torchvision,
        method => method,
    };
    let range = range("delta", &message.delta)?;
    match method {
        HueMethod::Tensorflow => three_channels_only(input, "tensorflow")?,
        _ if range[0] < -0.5 || range[1] > 0.5 => {
            return Err(Refusal::new("delta", format!("{range:?}"), "numbers from -0.5 to 0.5, as torchvision's"));
        }
        _ => {}
    }
    Built::maybe(Hue { range, method, full: full_scale(input)? }, message.p, input, input)
}

impl Op for Hue {
    type Params = f64;
    const NAME: &'static str = "hue";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.range)
    }

    fn apply<'a>(&self, delta: &f64, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        if image.channels() == 3 {
            match self.method {
                HueMethod::Tensorflow => hue_loop::tensorflow_hue(image.values_mut(), *delta as f32, self.full),
                _ => hue_loop::torchvision_hue(image.values_mut(), *delta as f32, self.full),
            }
        }
        image
    }
}
