use feedline_proto::v1;

use super::chain::{Kernels, Step};
use super::space::{self, WIDE};
use super::tensor::Tensor;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// One op at any magnitude.
struct TrivialAugmentWide {
    kernels: Kernels,
    bins: u32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Applies one op, drawn of 14, at a magnitude drawn from all: torchvision's `TrivialAugmentWide` of a tensor. The ops are those
of `rand_augment` in wider ranges (shears to 0.99, translations to 32 pixels, turns to 135 degrees, factors from 0.01 to 1.99, 2 to 8
bits), within the same tolerances, and move boxes, masks and keypoints as there.",
    targets: Targets::All,
    example: "trivial_augment_wide = {}",
};

pub(in crate::augment) fn from_message(message: &v1::TrivialAugmentWide, input: Form) -> Result<Built, Refusal> {
    let kernels = Kernels::Tensor(Tensor::new(message.filter, &message.fill, message.fill_mask, input)?);
    let op = TrivialAugmentWide { kernels, bins: message.num_magnitude_bins.unwrap_or(31) };
    Built::maybe(op, message.p, input, input)
}

impl Op for TrivialAugmentWide {
    type Params = Vec<Step>;
    const NAME: &'static str = "trivial_augment_wide";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Vec<Step> {
        let bin = |rng: &mut Rng| rng.below(self.bins.into()) as u32;
        vec![space::draw(&WIDE, (self.bins, bin), sample.image.size(), rng)]
    }

    fn apply<'a>(&self, chain: &Vec<Step>, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        self.kernels.apply(chain, image, scratch)
    }

    fn geometry(&self, chain: &Vec<Step>, size: Size) -> Option<Geometry> {
        self.kernels.geometry(chain, size)
    }

    fn annotate(&self, chain: &Vec<Step>, sample: &mut Sample<'_>) {
        self.kernels.annotate(chain, sample);
    }
}
