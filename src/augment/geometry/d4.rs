use feedline_proto::v1;

use super::horizontal_flip::mirrored_rows;
use super::rot90::{half_turned, turned};
use super::vertical_flip::mirrored_columns;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets, either};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// One of the eight ways to put a square on itself.
struct D4;

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "One of the eight ways to put a square on itself, drawn uniformly: `albumentations.D4`. Exact. The parameter is the place in
its list: e, r90, r180, r270 (counter-clockwise), v (top and bottom mirrored), hvt (mirrored at the other diagonal), h (left and
right mirrored), t (mirrored at the diagonal).",
    targets: Targets::All,
    example: "d4 = {}",
};

pub(in crate::augment) fn from_message(message: &v1::D4, input: Form) -> Result<Built, Refusal> {
    let turned = Form { smallest: input.smallest.transposed(), largest: input.largest.transposed(), ..input };
    Built::maybe(D4, message.p, input, either(input, turned)?)
}

impl Op for D4 {
    /// Place of the element.
    type Params = u32;
    const NAME: &'static str = "d4";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> u32 {
        rng.below(8) as u32
    }

    fn apply<'a>(&self, element: &u32, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        match element % 8 {
            0 => image,
            1 => turned(image, [true, false], scratch),
            2 => half_turned(image),
            3 => turned(image, [false, true], scratch),
            4 => mirrored_columns(image),
            5 => turned(image, [true, true], scratch),
            6 => mirrored_rows(image),
            _ => turned(image, [false, false], scratch),
        }
    }

    fn geometry(&self, element: &u32, size: Size) -> Option<Geometry> {
        Some(match element % 8 {
            turns @ 0..4 => Geometry::quarter_turns(turns, size),
            4 => Geometry::mirror_y(size),
            5 => Geometry::transverse(size),
            6 => Geometry::mirror_x(size),
            _ => Geometry::transpose(size),
        })
    }
}
