use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::chain::{Kernels, Step};
use super::mix::{self, Mix};
use super::space::{self, Entry, MIX};
use super::tensor::Tensor;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// The image mixed with several chains of ops on it.
struct AugMix {
    kernels: Kernels,
    entries: &'static [Entry],
    severity: u32,
    width: u32,
    /// 0: drawn.
    depth: u32,
    alpha: f64,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Mixes the image with what several chains of ops make of it: torchvision's `AugMix` of a tensor. The sum is in 32-bit floats, 8
bits are cut off, as there. Within the tolerances of the chains' ops, which are those of `rand_augment` but for identity.

Boxes, masks and keypoints stay as they are: they are right for the original, which is in every mix, and for all of it with
`pixels_only`. With shears, translations and turns nothing can be said of where things are in a mix, so set it for detection and
segmentation.",
    targets: Targets::Image,
    example: "aug_mix = { severity = 5 }",
};

pub(in crate::augment) fn from_message(message: &v1::AugMix, input: Form) -> Result<Built, Refusal> {
    let entries = match (message.pixels_only, message.all_ops.unwrap_or(true)) {
        (false, true) => &MIX[..],
        (false, false) => &MIX[..PARTIAL],
        (true, true) => &MIX[SPATIAL..],
        (true, false) => &MIX[SPATIAL..PARTIAL],
    };
    let op = AugMix {
        kernels: Kernels::Tensor(Tensor::new(message.filter, &message.fill, 0, input)?),
        entries,
        severity: message.severity.unwrap_or(3),
        width: message.mixture_width.unwrap_or(3),
        depth: message.chain_depth,
        alpha: message.alpha.unwrap_or(1.0),
    };
    Built::maybe(op, message.p, input, input)
}

/// Ops that move pixels stand first.
const SPATIAL: usize = 5;
/// Those that are drawn without `all_ops`.
const PARTIAL: usize = 9;

/// What is drawn.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Drawn {
    /// Weight of the image as it is.
    original: f64,
    /// Weights of the chains; with that of the original their sum is 1.
    weights: Vec<f64>,
    /// The chains.
    chains: Vec<Vec<Step>>,
}

impl Op for AugMix {
    type Params = Drawn;
    const NAME: &'static str = "aug_mix";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Drawn {
        let original = rng.beta(self.alpha);
        let weights = rng.dirichlet(self.alpha, self.width as usize);
        let size = sample.image.size();
        let mut chain = |_| {
            let depth = if self.depth == 0 { 1 + rng.below(3) as u32 } else { self.depth };
            let bin = |rng: &mut Rng| rng.below(self.severity.into()) as u32;
            (0..depth).map(|_| space::draw(self.entries, (BINS, bin), size, rng)).collect()
        };
        let chains = (0..self.width).map(&mut chain).collect();
        Drawn { original, weights: weights.iter().map(|weight| weight * (1.0 - original)).collect(), chains }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let mut mix = Mix::new(&image, drawn.original, scratch);
        for (chain, weight) in drawn.chains.iter().zip(&drawn.weights) {
            let copy = mix::copy(&image, scratch);
            let made = self.kernels.apply(chain, copy, scratch);
            mix.add(&made, *weight);
            scratch.recycle(made);
        }
        mix.write(&mut image, scratch);
        image
    }
}

/// Magnitudes of every op.
const BINS: u32 = 10;
