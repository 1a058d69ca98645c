use feedline_proto::v1;

use super::full_scale;
use super::pointwise::{map_bytes, map_floats};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Full scale minus every value.
struct Invert {
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Full scale minus every value: torchvision's `invert`, `PIL.ImageOps.invert`, `albumentations.InvertImg`. Exact.",
    targets: Targets::Image,
    example: "invert = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Invert, input: Form) -> Result<Built, Refusal> {
    Built::maybe(Invert { full: full_scale(input)? }, message.p, input, input)
}

/// The negative of the image, for policies.
pub(in crate::augment) fn inverted<'a>(image: Image<'a>, full: f32, scratch: &mut Scratch) -> Image<'a> {
    Invert { full }.apply(&(), image, scratch)
}

impl Op for Invert {
    type Params = ();
    const NAME: &'static str = "invert";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        match image.values_mut() {
            ValuesMut::U8(values) => map_bytes(values, |x| 255 - x),
            ValuesMut::F32(values) => {
                let full = self.full;
                map_floats(values, |x| full - x);
            }
        }
        image
    }
}
