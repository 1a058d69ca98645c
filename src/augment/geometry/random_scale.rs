use feedline_proto::v1;

use super::max_size::checked;
use super::range;
use super::resample::Resampling;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Resizes by a random factor.
struct RandomScale {
    scale: [f64; 2],
    resampling: Resampling,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Resizes by a random factor; fractions of a pixel are cut off: `albumentations.RandomScale`, which adds 1 to its range. Pixels are
those of `resize`, whose tolerances hold. Keypoints move with the middles of pixels; albumentations multiplies their coordinates.
Masks take the pixel whose middle is nearest, where OpenCV takes the one at its upper left.",
    targets: Targets::All,
    example: "random_scale = { scale = [0.5, 1.5], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomScale, input: Form) -> Result<Built, Refusal> {
    let scale = range("scale", &message.scale)?;
    let resampling = Resampling::new(message.filter, message.antialias, false)?;
    let smallest = scaled(input.smallest, scale[0]);
    let output = checked(Form { smallest, largest: scaled(input.largest, scale[1]), ..input })?;
    Built::maybe(RandomScale { scale, resampling }, message.p, input, output)
}

/// Both sides times a factor, the fraction cut off.
fn scaled(size: Size, scale: f64) -> Size {
    let side = |side: u32| (f64::from(side) * scale).max(1.0) as u32;
    Size::new(side(size.width), side(size.height))
}

impl RandomScale {
    /// A recorded factor may be any number: never beyond the range.
    fn size(&self, scale: f64, from: Size) -> Size {
        let [low, high] = self.scale;
        scaled(from, if scale >= low && scale <= high { scale } else { low })
    }
}

impl Op for RandomScale {
    /// The factor.
    type Params = f64;
    const NAME: &'static str = "random_scale";
    const RESIZES_LAST: bool = true;

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.scale)
    }

    fn apply<'a>(&self, scale: &f64, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let from = image.size();
        self.resampling.apply(image, Window { x: 0, y: 0, size: from }, self.size(*scale, from), scratch)
    }

    fn geometry(&self, scale: &f64, size: Size) -> Option<Geometry> {
        Some(Geometry::stretch((0, 0), size, self.size(*scale, size)))
    }
}
