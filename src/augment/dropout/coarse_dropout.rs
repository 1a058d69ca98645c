use feedline_proto::v1;

use super::hole::{Fill, Hole, Holes};
use super::{full_scale, range, whole_range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::Sample;
use crate::seed::Rng;

/// Cuts rectangles out.
struct CoarseDropout {
    num_holes: [u32; 2],
    height: [f64; 2],
    width: [f64; 2],
    fill: Fill,
    fill_mask: Option<u8>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts rectangles out of the image: `albumentations.CoarseDropout` with the same holes. Exact, random fills aside, which are of the
same distribution; mask, boxes and keypoints too, but for boxes that no hole touches, which stay as they are where albumentations
cuts their fractions of a pixel off.",
    targets: Targets::All,
    example: "coarse_dropout = { num_holes = [4, 8], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::CoarseDropout, input: Form) -> Result<Built, Refusal> {
    let v1::CoarseDropout { num_holes, hole_height, hole_width, color, fill_mask, p, .. } = message;
    let (height, width) = (range("hole_height", hole_height)?, range("hole_width", hole_width)?);
    if (height[1] < 1.0) != (width[1] < 1.0) {
        let expected = "the unit of hole_height: fractions below 1, or pixels";
        return Err(Refusal::new("hole_width", format!("{width:?} beside a height of {height:?}"), expected));
    }
    let op = CoarseDropout {
        num_holes: whole_range("num_holes", num_holes)?,
        height,
        width,
        fill: Fill::new(message.fill(), color, full_scale(input)?)?,
        fill_mask: fill_mask.map(|class| class.min(255) as u8),
    };
    Built::maybe(op, *p, input, input)
}

impl CoarseDropout {
    /// A side of a hole: a fraction of the image's, or pixels.
    fn side(rng: &mut Rng, range: [f64; 2], side: u32) -> u32 {
        let [low, high] = range;
        if high < 1.0 {
            return (f64::from(side) * rng.uniform(range)) as u32;
        }
        let (low, high) = (low as u32, (high as u32).min(side));
        low.min(high) + rng.below(u64::from(high.saturating_sub(low)) + 1) as u32
    }
}

impl Op for CoarseDropout {
    type Params = Holes;
    const NAME: &'static str = "coarse_dropout";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Holes {
        let [low, high] = self.num_holes;
        let size: Size = sample.image.size();
        let count = low + rng.below(u64::from(high - low) + 1) as u32;
        let hole = |_| {
            let height = CoarseDropout::side(rng, self.height, size.height);
            let width = CoarseDropout::side(rng, self.width, size.width);
            Hole::anywhere(rng, width, height, size)
        };
        let holes = (0..count).map(hole).collect();
        Holes { holes, seed: rng.bits() >> 11 }
    }

    fn apply<'a>(&self, holes: &Holes, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        holes.fill(&mut image, &self.fill);
        image
    }

    fn annotate(&self, holes: &Holes, sample: &mut Sample<'_>) {
        holes.annotate(sample, self.fill_mask);
    }
}
