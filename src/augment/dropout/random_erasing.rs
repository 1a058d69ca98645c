use feedline_proto::v1::{self, EraseMethod, EraseMode};

use super::hole::{Bell, Fill, Hole, Holes, colour};
use super::{full_scale, range, whole_range};
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
    method: EraseMethod,
    fill_mask: Option<u8>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Erases rectangles of random area and shape. Exact with the same rectangles.

- torchvision: `RandomErasing`, timm's with `mode` and `count`. Ten tries each, as there; after those the image stays as it is. Random
  fills are of the same distribution after `normalize`, and of a like one before. Boxes, mask and keypoints stay, as there.
- albumentations: `Erasing`. Random fills are of the same distribution. Mask, boxes and keypoints as with `coarse_dropout`.",
    targets: Targets::All,
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
    let method = match message.method() {
        EraseMethod::Unspecified => EraseMethod::Torchvision,
        method => method,
    };
    let fill = match message.mode() {
        EraseMode::Unspecified | EraseMode::Const => Fill::Constant(colour("value", value)?),
        EraseMode::Rand => Fill::NormalUniform(bell),
        EraseMode::Pixel => Fill::Normal(bell),
        EraseMode::Uniform => Fill::Random(full_scale(input)?),
        EraseMode::UniformColor => Fill::RandomUniform(full_scale(input)?),
    };
    let count = whole_range("count", count)?;
    if method == EraseMethod::Albumentations && count != [1, 1] {
        return Err(Refusal::new("count", format!("{count:?}"), "[1, 1] with the method albumentations"));
    }
    if method == EraseMethod::Torchvision && message.fill_mask.is_some() {
        return Err(Refusal::new(
            "fill_mask",
            "set",
            "the method albumentations beside it: torchvision's leaves the mask alone",
        ));
    }
    let fill_mask = message.fill_mask.map(|class| class.min(255) as u8);
    let (scale, ratio) = (range("scale", scale)?, range("ratio", ratio)?);
    let op = RandomErasing { scale, ratio, count, fill, method, fill_mask };
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

    /// A rectangle that fits, by one draw of the area and one of the ratio, width over height; none if some ratio leaves no area.
    fn fitting(&self, rng: &mut Rng, size: Size) -> Option<Hole> {
        let ([least, most], [narrow, wide]) = (self.scale, self.ratio);
        let (height, width) = (f64::from(size.height), f64::from(size.width));
        let total = size.area() as f64;
        // As high as the image at the narrowest, as wide at the widest.
        let fits = (narrow * height * height).min(width * width / wide);
        let (least, most) = (total * least, (total * most).min(fits));
        if most < least {
            return None;
        }
        let area = rng.uniform([least, most]);
        let ratios = [narrow.max(area / (height * height)), wide.min(width * width / area)];
        if ratios[0] > ratios[1] {
            return None;
        }
        let ratio = rng.uniform(ratios);
        let (height, width) = ((area / ratio).sqrt().round_ties_even(), (area * ratio).sqrt().round_ties_even());
        // A cast saturates, and of an area of 0 nothing is left.
        Some(Hole::anywhere(rng, width as u32, height as u32, size))
    }
}

impl Op for RandomErasing {
    type Params = Holes;
    const NAME: &'static str = "random_erasing";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Holes {
        let size = sample.image.size();
        if self.method == EraseMethod::Albumentations {
            let holes = self.fitting(rng, size).into_iter().collect();
            return Holes { holes, seed: rng.bits() >> 11 };
        }
        let [low, high] = self.count;
        let count = low + rng.below(u64::from(high - low) + 1) as u32;
        let holes = (0..count).filter_map(|_| self.hole(rng, count, size)).collect();
        Holes { holes, seed: rng.bits() >> 11 }
    }

    fn apply<'a>(&self, holes: &Holes, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        holes.fill(&mut image, &self.fill);
        image
    }
    fn annotate(&self, holes: &Holes, sample: &mut Sample<'_>) {
        if self.method == EraseMethod::Albumentations {
            holes.annotate(sample, self.fill_mask);
        }
    }
}
