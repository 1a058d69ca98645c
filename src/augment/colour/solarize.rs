use feedline_proto::v1;

use super::pointwise::{map_bytes, map_floats};
use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Inverts the values that are not below a threshold.
struct Solarize {
    threshold: [f64; 2],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Inverts the values that are not below a threshold: torchvision's `solarize` of a tensor, `PIL.ImageOps.solarize`, and
`albumentations.Solarize`, whose `threshold_range` is a fraction of 255. Exact.",
    targets: Targets::Image,
    example: "solarize = { threshold = [64, 192], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Solarize, input: Form) -> Result<Built, Refusal> {
    let op = Solarize { threshold: range("threshold", &message.threshold)?, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

/// The image with `add` added to the values of 8 bits below 128, for policies.
pub(in crate::augment) fn brightened_below<'a>(mut image: Image<'a>, add: u8) -> Image<'a> {
    if let ValuesMut::U8(values) = image.values_mut() {
        map_bytes(values, |x| if x < 128 { x.saturating_add(add) } else { x });
    }
    image
}

/// The image with the values from `threshold` on inverted, in units of 8 bits, for policies.
pub(in crate::augment) fn solarized<'a>(
    image: Image<'a>,
    threshold: f64,
    full: f32,
    scratch: &mut Scratch,
) -> Image<'a> {
    Solarize { threshold: [threshold; 2], full }.apply(&threshold, image, scratch)
}

impl Op for Solarize {
    /// In units of 8 bits.
    type Params = f64;
    const NAME: &'static str = "solarize";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.threshold)
    }

    fn apply<'a>(&self, threshold: &f64, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        match image.values_mut() {
            // A cast of what is left is exact: of a negative number it makes 0.
            ValuesMut::U8(values) if *threshold <= 255.0 => {
                let first = threshold.ceil() as u8;
                map_bytes(values, |x| if x >= first { 255 - x } else { x });
            }
            ValuesMut::U8(_) => {}
            ValuesMut::F32(values) => {
                let (full, first) = (self.full, (threshold * f64::from(self.full) / 255.0) as f32);
                map_floats(values, |x| if x >= first { full - x } else { x });
            }
        }
        image
    }
}
