use feedline_proto::v1;

use super::max_size::{Choice, Length, MaxSize, Side};
use super::resample::Resampling;
use crate::augment::op::{About, Built, Cut, Op, Refusal, Scratch, Targets};
use crate::image::{Excerpt, Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Resizes until the shorter side has a length.
struct SmallestMaxSize(MaxSize);

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Resizes, keeping the ratio of the sides, until the shorter side has a length: `albumentations.SmallestMaxSize`, by the size. Pixels
are those of `resize`, whose tolerances hold: without antialias OpenCV's. Keypoints move with the middles of pixels;
albumentations multiplies their coordinates.
Masks take the pixel whose middle is nearest, where OpenCV takes the one at its upper left.",
    targets: Targets::All,
    example: "smallest_max_size = { max_size = [160] }",
};

pub(in crate::augment) fn from_message(message: &v1::SmallestMaxSize, input: Form) -> Result<Built, Refusal> {
    let length = Length::new(&message.max_size, message.max_height, message.max_width)?;
    let resampling = Resampling::new(message.filter, message.antialias, false)?;
    let op = SmallestMaxSize(MaxSize { side: Side::Smallest, length, resampling });
    let output = op.0.form(input)?;
    Built::maybe(op, message.p, input, output)
}

impl Op for SmallestMaxSize {
    type Params = Choice;
    const NAME: &'static str = "smallest_max_size";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Choice {
        self.0.draw(rng)
    }

    fn cut(&self, rng: &mut Rng, size: Size) -> Option<Cut> {
        Some(self.0.cut(rng, size))
    }

    fn apply_to_cut<'a>(&self, image: Image<'a>, cut: Excerpt, rng: &mut Rng, scratch: &mut Scratch) -> Image<'a> {
        self.0.apply_to_cut(image, cut, rng, scratch)
    }

    fn apply<'a>(&self, choice: &Choice, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        self.0.apply(*choice, image, scratch)
    }

    fn geometry(&self, choice: &Choice, size: Size) -> Option<Geometry> {
        Some(self.0.geometry(*choice, size))
    }
}
