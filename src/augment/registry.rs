use feedline_proto::v1::op::Op;

use super::op::{Built, Refusal};
use super::{colour, convert, geometry};
use crate::image::Form;

/// Builds the op of a message whose defaults are filled in. A refusal comes with the op's name.
pub(super) fn build(op: &Op, input: Form) -> Result<Built, (&'static str, Refusal)> {
    match op {
        Op::Resize(m) => named("resize", geometry::resize::from_message(m, input)),
        Op::CenterCrop(m) => named("center_crop", geometry::center_crop::from_message(m, input)),
        Op::CentralCrop(m) => named("central_crop", geometry::central_crop::from_message(m, input)),
        Op::RandomCrop(m) => named("random_crop", geometry::random_crop::from_message(m, input)),
        Op::RandomResizedCrop(m) => named("random_resized_crop", geometry::random_resized_crop::from_message(m, input)),
        Op::HorizontalFlip(m) => named("horizontal_flip", geometry::horizontal_flip::from_message(m, input)),
        Op::VerticalFlip(m) => named("vertical_flip", geometry::vertical_flip::from_message(m, input)),
        Op::Rot90(m) => named("rot90", geometry::rot90::from_message(m, input)),
        Op::Brightness(m) => named("brightness", colour::brightness::from_message(m, input)),
        Op::Contrast(m) => named("contrast", colour::contrast::from_message(m, input)),
        Op::Saturation(m) => named("saturation", colour::saturation::from_message(m, input)),
        Op::Hue(m) => named("hue", colour::hue::from_message(m, input)),
        Op::Grayscale(m) => named("grayscale", colour::grayscale::from_message(m, input)),
        Op::ColorJitter(m) => named("color_jitter", colour::color_jitter::from_message(m, input)),
        Op::Clip(m) => named("clip", convert::clip::from_message(m, input)),
        Op::ToFloat(m) => named("to_float", convert::to_float::from_message(m, input)),
        Op::Normalize(m) => named("normalize", convert::normalize::from_message(m, input)),
        Op::Sequence(_) | Op::OneOf(_) | Op::SomeOf(_) | Op::RandomOrder(_) => {
            unreachable!("groups are built by the pipeline")
        }
    }
}

fn named(name: &'static str, built: Result<Built, Refusal>) -> Result<Built, (&'static str, Refusal)> {
    built.map_err(|refusal| (name, refusal))
}
