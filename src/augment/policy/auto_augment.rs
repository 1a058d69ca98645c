use feedline_proto::v1::{self, AutoAugmentPolicy};
use serde::{Deserialize, Serialize};

use super::chain::{Kernels, Step};
use super::learned::{CIFAR10, IMAGENET, Pairs, SVHN};
use super::space;
use super::tensor::Tensor;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// A learned pair of ops.
struct AutoAugment {
    kernels: Kernels,
    pairs: &'static Pairs,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Applies one of 25 learned pairs of ops, each op of it with its own probability and magnitude: torchvision's `AutoAugment` of a
tensor, with its policies of ImageNet, CIFAR-10 and SVHN. The ops are those of `rand_augment`, and invert, within the same tolerances,
and move boxes, masks and keypoints as there.",
    targets: Targets::All,
    example: "auto_augment = { policy = \"imagenet\" }",
};

pub(in crate::augment) fn from_message(message: &v1::AutoAugment, input: Form) -> Result<Built, Refusal> {
    let pairs = match message.policy() {
        AutoAugmentPolicy::Unspecified | AutoAugmentPolicy::Imagenet => &IMAGENET,
        AutoAugmentPolicy::Cifar10 => &CIFAR10,
        AutoAugmentPolicy::Svhn => &SVHN,
    };
    let kernels = Kernels::Tensor(Tensor::new(message.filter, &message.fill, message.fill_mask, input)?);
    Built::maybe(AutoAugment { kernels, pairs }, message.p, input, input)
}

/// What is drawn.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Drawn {
    /// Which pair, from 0: for the reader of a record, since the chain says all.
    #[serde(default)]
    pair: u64,
    /// Those of its ops that are applied.
    chain: Vec<Step>,
}

impl Op for AutoAugment {
    type Params = Drawn;
    const NAME: &'static str = "auto_augment";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Drawn {
        let pair = rng.below(self.pairs.len() as u64);
        let size = sample.image.size();
        let applied = self.pairs[pair as usize].iter().filter_map(|(op, p, level)| {
            if !rng.chance(*p) {
                return None;
            }
            Some(space::of_auto(*op).at(*op, (BINS, *level), size, rng))
        });
        Drawn { pair, chain: applied.collect() }
    }

    fn apply<'a>(&self, drawn: &Drawn, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        self.kernels.apply(&drawn.chain, image, scratch)
    }

    fn geometry(&self, drawn: &Drawn, size: Size) -> Option<Geometry> {
        self.kernels.geometry(&drawn.chain, size)
    }

    fn annotate(&self, drawn: &Drawn, sample: &mut Sample<'_>) {
        self.kernels.annotate(&drawn.chain, sample);
    }
}

/// Magnitudes of every op.
const BINS: u32 = 10;
