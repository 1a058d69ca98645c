use feedline_proto::v1;

use super::full_scale;
use super::pointwise::clamp;
use super::whole::{self, Mix};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Gives the colours of an old photograph.
struct ToSepia {
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Gives the colours of an old photograph: `albumentations.ToSepia`. An image of one channel stays as it is. 8 bits are
OpenCV's vector loop, with weights of 10 bits; the last few pixels of its image, which it does in floats, may differ by 1. Floats
within 2e-6 of the full scale.",
    targets: Targets::Image,
    example: "to_sepia = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::ToSepia, input: Form) -> Result<Built, Refusal> {
    Built::maybe(ToSepia { full: full_scale(input)? }, message.p, input, input)
}

impl Op for ToSepia {
    type Params = ();
    const NAME: &'static str = "to_sepia";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        if image.channels() == 3 {
            match image.values_mut() {
                ValuesMut::U8(values) => whole::apply(values.as_chunks_mut().0, WHOLE),
                ValuesMut::F32(values) => Floats { pixels: values.as_chunks_mut().0, full: self.full }.dispatch(),
            }
        }
        image
    }
}

/// Weights of red, green and blue in each of them.
const WEIGHTS: [[f32; 3]; 3] = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];
/// The same, times 1024, rounded.
const WHOLE: Mix =
    Mix { weights: [[402.0, 787.0, 194.0], [357.0, 702.0, 172.0], [279.0, 547.0, 134.0]], divisor: 1024.0 };

struct Floats<'a> {
    pixels: &'a mut [[f32; 3]],
    full: f32,
}

impl Kernel for Floats<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let [r, g, b] = *pixel;
            *pixel = WEIGHTS.map(|[x, y, z]| clamp(r * x + g * y + b * z, self.full));
        }
    }
}
