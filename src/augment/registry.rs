use feedline_proto::v1::op::Op;

use super::op::{About, Built, Refusal};
use super::resources::Resources;
use super::{colour, convert, dropout, filter, geometry, noise, policy, style};
use crate::image::Form;

/// Ops that run a model, whose output may differ between machines. Built with the feature `onnx` only.
pub(super) const MODELS: &[&str] = &["onnx"];

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
    Transpose => geometry::transpose,
    D4 => geometry::d4,
    Pad => geometry::pad,
    PadIfNeeded => geometry::pad_if_needed,
    LongestMaxSize => geometry::longest_max_size,
    SmallestMaxSize => geometry::smallest_max_size,
    Letterbox => geometry::letterbox,
    Affine => geometry::affine,
    Rotate => geometry::rotate,
    ShiftScaleRotate => geometry::shift_scale_rotate,
    Perspective => geometry::perspective,
    Elastic => geometry::elastic,
    GridDistortion => geometry::grid_distortion,
    OpticalDistortion => geometry::optical_distortion,
    RandomScale => geometry::random_scale,
    RandomSizedCrop => geometry::random_sized_crop,
    RandomIouCrop => geometry::random_iou_crop,
    RandomZoomOut => geometry::random_zoom_out,
    FixedCrop => geometry::fixed_crop,
    CoarseDropout => dropout::coarse_dropout,
    RandomErasing => dropout::random_erasing,
    GridDropout => dropout::grid_dropout,
    PixelDropout => dropout::pixel_dropout,
    Brightness => colour::brightness,
    Contrast => colour::contrast,
    Saturation => colour::saturation,
    Hue => colour::hue,
    Grayscale => colour::grayscale,
    ColorJitter => colour::color_jitter,
    Clip => convert::clip,
    RandomBrightnessContrast => colour::random_brightness_contrast,
    Solarize => colour::solarize,
    Posterize => colour::posterize,
    Equalize => colour::equalize,
    AutoContrast => colour::auto_contrast,
    Invert => colour::invert,
    HueSaturationValue => colour::hue_saturation_value,
    Gamma => colour::gamma,
    RgbShift => colour::rgb_shift,
    ChannelShuffle => colour::channel_shuffle,
    ChannelDropout => colour::channel_dropout,
    ToSepia => colour::to_sepia,
    Clahe => colour::clahe,
    FancyPca => colour::fancy_pca,
    PhotometricDistort => colour::photometric_distort,
    HsvGain => colour::hsv_gain,
    RandomToneCurve => colour::random_tone_curve,
    GaussianBlur => filter::gaussian_blur,
    MedianBlur => filter::median_blur,
    BoxBlur => filter::box_blur,
    MotionBlur => filter::motion_blur,
    AdjustSharpness => filter::adjust_sharpness,
    Sharpen => filter::sharpen,
    Jpeg => noise::jpeg,
    Downscale => noise::downscale,
    MultiplicativeNoise => noise::multiplicative_noise,
    GaussNoise => noise::gauss_noise,
    IsoNoise => noise::iso_noise,
    ShotNoise => noise::shot_noise,
    SaltAndPepper => noise::salt_and_pepper,
    ToFloat => convert::to_float,
    Normalize => convert::normalize,
    RandAugment => policy::rand_augment,
    TrivialAugmentWide => policy::trivial_augment_wide,
    AutoAugment => policy::auto_augment,
    AugMix => policy::aug_mix,
    TimmAugment => policy::timm_augment,
    ;
    HistogramMatching => style::histogram_matching,
    Fda => style::fda,
    PixelDistributionAdaptation => style::pixel_distribution_adaptation,
    Onnx => style::onnx,
}
