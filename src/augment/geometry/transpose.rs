use feedline_proto::v1;

use super::rot90::turned;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Mirrors at the diagonal from the left upper corner.
struct Transpose;

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals:
        "Mirrors at the diagonal from the left upper corner, so that rows become columns: `albumentations.Transpose`,
`tf.image.transpose`, `numpy.transpose`. Exact.",
    targets: Targets::All,
    example: "transpose = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Transpose, input: Form) -> Result<Built, Refusal> {
    let output = Form { smallest: input.smallest.transposed(), largest: input.largest.transposed(), ..input };
    Built::maybe(Transpose, message.p, input, output)
}

impl Op for Transpose {
    type Params = ();
    const NAME: &'static str = "transpose";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        turned(image, [false, false], scratch)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        Some(Geometry::transpose(size))
    }
}
