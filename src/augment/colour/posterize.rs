use feedline_proto::v1;

use super::pointwise::{clamp, map_bytes, map_floats};
use super::{full_scale, whole_range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Keeps the highest bits of every value.
struct Posterize {
    bits: [u32; 2],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Keeps the highest bits of every value: torchvision's `posterize` of a tensor; for 8 bits also `PIL.ImageOps.posterize` and
`albumentations.Posterize`. Floats are cut off to as many steps. Exact.",
    targets: Targets::Image,
    example: "posterize = { bits = [2, 3], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Posterize, input: Form) -> Result<Built, Refusal> {
    let op = Posterize { bits: whole_range("bits", &message.bits)?, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

/// The image with the highest `bits` of every value, for policies.
pub(in crate::augment) fn posterized<'a>(image: Image<'a>, bits: u32, full: f32, scratch: &mut Scratch) -> Image<'a> {
    Posterize { bits: [bits; 2], full }.apply(&bits, image, scratch)
}

impl Op for Posterize {
    /// Bits that are kept.
    type Params = u32;
    const NAME: &'static str = "posterize";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> u32 {
        let [low, high] = self.bits;
        low + rng.below(u64::from(high - low) + 1) as u32
    }

    fn apply<'a>(&self, bits: &u32, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let bits = (*bits).min(8);
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let mask = (0xff00_u32 >> bits) as u8;
                map_bytes(values, |x| x & mask);
            }
            ValuesMut::F32(values) => {
                let (full, levels) = (self.full, (1_u32 << bits) as f32);
                let step = 1.0 / levels;
                // After the clamp a cut is a floor.
                map_floats(values, |x| clamp(x / full * levels, levels - 1.0).trunc() * step * full);
            }
        }
        image
    }
}
