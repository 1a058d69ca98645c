use feedline_proto::v1;

use super::pass;
use super::pointwise::map;
use super::{full_scale, range};
use crate::augment::finish::Step;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Makes lighter or darker, images of 1 or 3 channels alike.
struct Brightness {
    range: [f64; 2],
    how: How,
    full: f32,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Add,
    Multiply,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Makes lighter or darker, images of 1 or 3 channels alike.

- `delta`: `tf.image.adjust_brightness`. 8 bits: `x / 255 + delta`, times 255.5, clamped, cut off. Floats: `delta` of the full
  scale is added, nothing is clipped. Exact.
- `factor`: torchvision's `adjust_brightness`. The product is clamped to 0 and the full scale; 8 bits: cut off. Exact.",
    targets: Targets::Image,
    example: "brightness = { factor = [0.5, 1.5] }",
};

pub(in crate::augment) fn from_message(message: &v1::Brightness, input: Form) -> Result<Built, Refusal> {
    let (range, how) = match (&message.delta[..], &message.factor[..]) {
        (delta, []) if !delta.is_empty() => (range("delta", delta)?, How::Add),
        ([], factor) if !factor.is_empty() => (range("factor", factor)?, How::Multiply),
        ([], _) => return Err(Refusal::new("", "without `delta` and `factor`", "one of them")),
        _ => return Err(Refusal::new("factor", "set beside `delta`", "one of the two")),
    };
    Built::maybe(Brightness { range, how, full: full_scale(input)? }, message.p, input, input)
}

/// The image with every value times `factor`, for policies: Pillow's `ImageEnhance.Brightness` too.
pub(in crate::augment) fn multiplied<'a>(image: Image<'a>, factor: f64, full: f32, scratch: &mut Scratch) -> Image<'a> {
    Brightness { range: [factor; 2], how: How::Multiply, full }.apply(&factor, image, scratch)
}

impl Brightness {
    /// What it does to floats.
    fn floats(&self, amount: f64) -> Step {
        match self.how {
            How::Add => Step::add((amount * f64::from(self.full)) as f32),
            How::Multiply => Step::Scale(amount as f32, self.full),
        }
    }
}

impl Op for Brightness {
    type Params = f64;
    const NAME: &'static str = "brightness";
    const WAITS: bool = true;

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.range)
    }

    fn step(&self, amount: &f64) -> Option<Step> {
        Some(self.floats(*amount))
    }

    fn apply<'a>(&self, amount: &f64, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let (value, channels) = (*amount as f32, image.channels());
        match (image.values_mut(), self.how) {
            (ValuesMut::U8(values), How::Add) => map(values, |x| (x * (1.0 / 255.0) + value) * 255.5),
            (ValuesMut::U8(values), How::Multiply) if channels == 3 => {
                pass::apply(values, &[pass::Step::brightness(*amount)])
            }
            (ValuesMut::U8(values), How::Multiply) => map(values, |x| x * value),
            (ValuesMut::F32(_), _) => self.floats(*amount).apply(&mut image),
        }
        image
    }
}
