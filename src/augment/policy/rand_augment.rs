use feedline_proto::v1;

use super::chain::{Kernels, Step};
use super::space::{self, RAND};
use super::tensor::Tensor;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Some ops, all at one magnitude.
struct RandAugment {
    kernels: Kernels,
    num_ops: u32,
    magnitude: u32,
    bins: u32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Applies some ops, each drawn of 14 and all at one magnitude: torchvision's `RandAugment` of a tensor, whose functions it calls:

identity, shear_x, shear_y, translate_x, translate_y, rotate, brightness, color, contrast, sharpness, posterize, solarize, auto_contrast,
equalize.

Each is within the tolerance of the op of its name: 8 bits exact where torch does not fuse multiplications with additions, but that
moved pixels may be off where a place lies on the line between two (nearest: a share of 1e-3) or by 1 (bilinear). Magnitudes are
drawn for each sample and recorded as torchvision's functions take them. Boxes, masks and keypoints move with the image; masks always
by the nearest pixel. torchvision refuses all three.",
    targets: Targets::All,
    example: "rand_augment = { num_ops = 2, magnitude = 15 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandAugment, input: Form) -> Result<Built, Refusal> {
    let bins = message.num_magnitude_bins.unwrap_or(31);
    let magnitude = message.magnitude.unwrap_or(9);
    if magnitude >= bins {
        return Err(Refusal::new("magnitude", magnitude, format!("below {bins}, the number of bins")));
    }
    let kernels = Kernels::Tensor(Tensor::new(message.filter, &message.fill, message.fill_mask, input)?);
    let op = RandAugment { kernels, num_ops: message.num_ops.unwrap_or(2), magnitude, bins };
    Built::maybe(op, message.p, input, input)
}

impl Op for RandAugment {
    type Params = Vec<Step>;
    const NAME: &'static str = "rand_augment";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Vec<Step> {
        let size = sample.image.size();
        (0..self.num_ops).map(|_| space::draw(&RAND, (self.bins, |_| self.magnitude), size, rng)).collect()
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
