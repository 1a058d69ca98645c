use feedline_proto::v1::{AutoContrastMethod, ContrastMethod, SaturationMethod, SharpnessMethod};

use super::chain::{Name, Step};
use super::full_scale;
use crate::augment::colour::{auto_contrast, brightness, contrast, equalize, invert, posterize, saturation, solarize};
use crate::augment::filter::adjust_sharpness;
use crate::augment::geometry::TensorMove;
use crate::augment::op::{Refusal, Scratch};
use crate::image::{Form, Image, Size};
use crate::sample::Sample;

/// The functions of torchvision that its policies call, on tensors.
pub(super) struct Tensor {
    mover: TensorMove,
    full: f32,
}

impl Tensor {
    /// As the fields of these names say it.
    pub(super) fn new(filter: i32, fill: &[f64], fill_mask: u32, input: Form) -> Result<Self, Refusal> {
        Ok(Tensor { mover: TensorMove::new(filter, fill, fill_mask, input)?, full: full_scale(input)? })
    }

    pub(super) fn apply<'a>(&self, step: &Step, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (full, amount) = (self.full, step.amount());
        match step.op {
            Name::Identity | Name::SolarizeAdd | Name::GaussianBlur => image,
            Name::TranslateX => self.mover.shift(image, (amount as i64, 0), scratch),
            Name::TranslateY => self.mover.shift(image, (0, amount as i64), scratch),
            Name::ShearX | Name::ShearY | Name::Rotate => match Tensor::inverse(step, image.size()) {
                Some(inverse) => self.mover.apply(image, &inverse, scratch),
                None => image,
            },
            Name::Brightness => brightness::multiplied(image, 1.0 + amount, full, scratch),
            Name::Color => saturation::adjusted(image, 1.0 + amount, (SaturationMethod::Torchvision, full), scratch),
            Name::Contrast => contrast::adjusted(image, 1.0 + amount, (ContrastMethod::Torchvision, full), scratch),
            Name::Sharpness => {
                adjust_sharpness::adjusted(image, 1.0 + amount, (SharpnessMethod::Torchvision, full), scratch)
            }
            Name::Posterize => posterize::posterized(image, step.whole(0, 8).into(), full, scratch),
            Name::Solarize => {
                // Compared in 32-bit floats.
                let threshold = (255.0 * amount) as f32;
                solarize::solarized(image, threshold.into(), full, scratch)
            }
            Name::AutoContrast => auto_contrast::stretched(image, (AutoContrastMethod::Torchvision, full), scratch),
            Name::Equalize => equalize::equalized(image, full, scratch),
            Name::Invert => invert::inverted(image, full, scratch),
        }
    }

    pub(super) fn masks(&self, step: &Step, sample: &mut Sample<'_>) {
        if let Some(inverse) = Tensor::inverse(step, sample.image.size()) {
            self.mover.masks(sample, &inverse);
        }
    }

    /// From pixels that go out to pixels that came in, counted from the middle of the image. None for ops that move nothing.
    pub(super) fn inverse(step: &Step, size: Size) -> Option<[f64; 6]> {
        let amount = step.amount();
        // Shears are angles for torchvision, and their tangent is the amount but for roundings. They leave the left upper corner
        // where it is.
        let slope = || libm::tan(libm::atan(amount).to_degrees().to_radians());
        let (x, y) = (-f64::from(size.width) * 0.5, -f64::from(size.height) * 0.5);
        match step.op {
            Name::ShearX => {
                let slope = slope();
                Some([1.0, slope, (-x - slope * y) + x, 0.0, 1.0, 0.0])
            }
            Name::ShearY => {
                let slope = slope();
                Some([1.0, 0.0, 0.0, slope, 1.0, (-slope * x - y) + y])
            }
            Name::TranslateX => Some([1.0, 0.0, -amount.trunc(), 0.0, 1.0, 0.0]),
            Name::TranslateY => Some([1.0, 0.0, 0.0, 0.0, 1.0, -amount.trunc()]),
            Name::Rotate => {
                let turn = (-amount).to_radians();
                let (sin, cos) = (libm::sin(turn), libm::cos(turn));
                Some([cos, sin, 0.0, -sin, cos, 0.0])
            }
            _ => None,
        }
    }
}
