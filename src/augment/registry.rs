use feedline_proto::v1::op::Op;

use super::op::{About, Built, Refusal};
use super::resources::Resources;
use super::{colour, convert, geometry, style};
use crate::image::Form;

/// The table of ops: a field of the contract's `Op` and the file that builds it. Those behind the semicolon need more than their
/// message: images of the dataset, or models of the server.
macro_rules! ops {
    ($($message:ident => $family:ident::$op:ident,)*; $($needy:ident => $needy_family:ident::$needy_op:ident,)*) => {
        /// Builds the op of a message whose defaults are filled in. A refusal comes with the op's name.
        pub(super) fn build(
            op: &Op,
            input: Form,
            resources: &dyn Resources,
        ) -> Result<Built, (&'static str, Refusal)> {
            match op {
                $(Op::$message(m) => {
                    $family::$op::from_message(m, input).map_err(|refusal| (stringify!($op), refusal))
                })*
                $(Op::$needy(m) => {
                    $needy_family::$needy_op::from_message(m, input, resources)
                        .map_err(|refusal| (stringify!($needy_op), refusal))
                })*
                Op::Sequence(_) | Op::OneOf(_) | Op::SomeOf(_) | Op::RandomOrder(_) => {
                    unreachable!("groups are built by the pipeline")
                }
            }
        }

        /// Names of all ops.
        pub(super) const NAMES: &[&str] = &[$(stringify!($op),)* $(stringify!($needy_op),)*];

        /// What there is to know of the op of that name, and its family. None for groups.
        pub(super) fn about(name: &str) -> Option<(&'static str, &'static About)> {
            match name {
                $(stringify!($op) => Some((stringify!($family), &$family::$op::ABOUT)),)*
                $(stringify!($needy_op) => Some((stringify!($needy_family), &$needy_family::$needy_op::ABOUT)),)*
                _ => None,
            }
        }
    };
}

ops! {
    Resize => geometry::resize,
    CenterCrop => geometry::center_crop,
    CentralCrop => geometry::central_crop,
    RandomCrop => geometry::random_crop,
    RandomResizedCrop => geometry::random_resized_crop,
    HorizontalFlip => geometry::horizontal_flip,
    VerticalFlip => geometry::vertical_flip,
    Rot90 => geometry::rot90,
    FixedCrop => geometry::fixed_crop,
    Brightness => colour::brightness,
    Contrast => colour::contrast,
    Saturation => colour::saturation,
    Hue => colour::hue,
    Grayscale => colour::grayscale,
    ColorJitter => colour::color_jitter,
    Clip => convert::clip,
    ToFloat => convert::to_float,
    Normalize => convert::normalize,
    ;
    HistogramMatching => style::histogram_matching,
    Fda => style::fda,
    PixelDistributionAdaptation => style::pixel_distribution_adaptation,
}
