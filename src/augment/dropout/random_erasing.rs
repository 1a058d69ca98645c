use feedline_proto::v1::{self, EraseMode};

use super::hole::{Bell, Fill, Hole, Holes, colour};
use super::{range, whole_range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Depth, Form, Image, Size};
use crate::sample::Sample;
use crate::seed::Rng;

/// Erases rectangles.
struct RandomErasing {
    scale: [f64; 2],
    ratio: [f64; 2],
    count: [u32; 2],
    fill: Fill,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Erases rectangles of random area and shape: torchvision's `RandomErasing`, timm's with `mode` and `count`. Ten tries each, as
there; after those the image stays as it is. Exact with the same rectangles; random fills are of the same distribution after
`normalize`, and of a like one before. Boxes, mask and keypoints stay, as there.",
    targets: Targets::Image,
    example: "random_erasing = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomErasing, input: Form) -> Result<Built, Refusal> {
    let v1::RandomErasing { scale, ratio, value, count, p, .. } = message;
    let full = match input.depth {
        Depth::U8 => Some(255.0),
        Depth::F32 { full } => full,
    };
    let bell = match full {
        Some(full) => Bell { mean: full / 2.0, deviation: full / 4.0, full: Some(full) },
        None => Bell { mean: 0.0, deviation: 1.0, full: None },
    };
    let fill = match message.mode() {
        EraseMode::Unspecified | EraseMode::Const => Fill::Constant(colour("value", value)?),
        EraseMode::Rand => Fill::NormalUniform(bell),
        EraseMode::Pixel => Fill::Normal(bell),
    };
    let count = whole_range("count", count)?;
    let op = RandomErasing { scale: range("scale", scale)?, ratio: range("ratio", ratio)?, count, fill };
    Built::maybe(op, *p, input, input)
}

impl RandomErasing {
    /// A rectangle that is lower and narrower than the image, if one of ten is.
    fn hole(&self, rng: &mut Rng, count: u32, size: Size) -> Option<Hole> {
        let logs = self.ratio.map(libm::log);
        for _ in 0..10 {
            let area = size.area() as f64 * rng.uniform(self.scale) / f64::from(count);
            let ratio = libm::exp(rng.uniform(logs));
            let (height, width) = ((area * ratio).sqrt().round_ties_even(), (area / ratio).sqrt().round_ties_even());
            if height < f64::from(size.height) && width < f64::from(size.width) {
                return Some(Hole::anywhere(rng, width as u32, height as u32, size));
            }
        }
        None
    }
}

impl Op for RandomErasing {
    type Params = Holes;
    const NAME: &'static str = "random_erasing";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Holes {
        let [low, high] = self.count;
        let count = low + rng.below(u64::from(high - low) + 1) as u32;
        let holes = (0..count).filter_map(|_| self.hole(rng, count, sample.image.size())).collect();
        Holes { holes, seed: rng.bits() >> 11 }
    }

    fn apply<'a>(&self, holes: &Holes, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        holes.fill(&mut image, &self.fill);
        image
    }
}
