use feedline_proto::v1::{self, op::Op};
use serde_json::json;

use super::Import;
use super::common::Leaf;

/// Classes that change colours.
pub(super) const CLASSES: &[(&str, Import)] = &[
    ("AutoContrast", auto_contrast),
    ("CLAHE", clahe),
    ("ChannelDropout", channel_dropout),
    ("ChannelShuffle", channel_shuffle),
    ("ColorJitter", color_jitter),
    ("Equalize", equalize),
    ("FancyPCA", fancy_pca),
    ("HueSaturationValue", hue_saturation_value),
    ("InvertImg", invert),
    ("Posterize", posterize),
    ("RGBShift", rgb_shift),
    ("RandomBrightnessContrast", random_brightness_contrast),
    ("RandomGamma", random_gamma),
    ("RandomToneCurve", random_tone_curve),
    ("Solarize", solarize),
    ("ToGray", to_gray),
    ("ToSepia", to_sepia),
];

fn to_gray(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let method = leaf.word(
        "method",
        &[
            ("weighted_average", v1::GrayMethod::Opencv.into()),
            ("from_lab", v1::GrayMethod::FromLab.into()),
            ("desaturation", v1::GrayMethod::Desaturation.into()),
            ("average", v1::GrayMethod::Average.into()),
            ("max", v1::GrayMethod::Max.into()),
            ("pca", v1::GrayMethod::Pca.into()),
        ],
    );
    let channels = leaf.node.whole("num_output_channels").unwrap_or(3);
    if channels == 1 {
        leaf.channels = 1;
    }
    vec![Op::Grayscale(v1::Grayscale { channels: Some(channels), method, p: leaf.p() })]
}

fn color_jitter(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let factor = [0.8, 1.2];
    let (brightness, contrast) = (leaf.node.range("brightness", factor), leaf.node.range("contrast", factor));
    let (saturation, hue) = (leaf.node.range("saturation", factor), leaf.node.range("hue", [-0.5, 0.5]));
    let method = v1::ColorJitterMethod::Albumentations.into();
    vec![Op::ColorJitter(v1::ColorJitter { brightness, contrast, saturation, hue, p: leaf.p(), method })]
}

fn random_brightness_contrast(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("ensure_safe_range", &[json!(false)], "limits that depend on the image are not supported");
    vec![Op::RandomBrightnessContrast(v1::RandomBrightnessContrast {
        brightness_limit: leaf.symmetric("brightness_limit", [-0.2, 0.2]),
        contrast_limit: leaf.symmetric("contrast_limit", [-0.2, 0.2]),
        brightness_by_max: leaf.node.flag("brightness_by_max"),
        p: leaf.p(),
    })]
}

fn hue_saturation_value(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::HueSaturationValue(v1::HueSaturationValue {
        hue_shift_limit: leaf.symmetric("hue_shift_limit", [-20.0, 20.0]),
        sat_shift_limit: leaf.symmetric("sat_shift_limit", [-30.0, 30.0]),
        val_shift_limit: leaf.symmetric("val_shift_limit", [-20.0, 20.0]),
        p: leaf.p(),
    })]
}

fn rgb_shift(leaf: &mut Leaf<'_>) -> Vec<Op> {
    // Albumentations saves these too, and takes them from the shifts again when it loads.
    leaf.node.only("noise_type", &[json!("uniform")], "a shift is uniform");
    leaf.node.only("spatial_mode", &[json!("constant")], "a shift is the same for all pixels");
    leaf.node.only("approximation", &[json!(1)], "a shift is the same for all pixels");
    leaf.node.take("noise_params");
    vec![Op::RgbShift(v1::RgbShift {
        r_shift_limit: leaf.symmetric("r_shift_limit", [-20.0, 20.0]),
        g_shift_limit: leaf.symmetric("g_shift_limit", [-20.0, 20.0]),
        b_shift_limit: leaf.symmetric("b_shift_limit", [-20.0, 20.0]),
        p: leaf.p(),
    })]
}

fn random_gamma(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let gamma = leaf.node.range("gamma_limit", [80.0, 120.0]).into_iter().map(|percent| percent / 100.0).collect();
    let method = v1::GammaMethod::Albumentations.into();
    vec![Op::Gamma(v1::Gamma { gamma, method, p: leaf.p(), ..Default::default() })]
}

fn clahe(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let clip_limit = leaf.node.range("clip_limit", [1.0, 4.0]);
    let tile_grid_size = leaf.node.two_whole("tile_grid_size").unwrap_or([8, 8]).to_vec();
    vec![Op::Clahe(v1::Clahe { clip_limit, tile_grid_size, p: leaf.p() })]
}

fn solarize(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let threshold = leaf.node.range("threshold_range", [0.5, 0.5]).into_iter().map(|share| share * 255.0).collect();
    vec![Op::Solarize(v1::Solarize { threshold, p: leaf.p() })]
}

fn posterize(leaf: &mut Leaf<'_>) -> Vec<Op> {
    // One number, two, or (not supported) a range for each channel.
    let bits = match leaf.node.take("num_bits") {
        None => vec![4, 4],
        Some(value) => {
            let read: Option<Vec<u32>> = match &value {
                serde_json::Value::Array(bits) => bits.iter().map(|bits| u32::try_from(bits.as_u64()?).ok()).collect(),
                one => one.as_u64().and_then(|one| u32::try_from(one).ok()).map(|one| vec![one; 2]),
            };
            read.filter(|bits| bits.len() == 2).unwrap_or_else(|| {
                leaf.node.refuse("num_bits", &value, "expected two whole numbers; channels are not told apart");
                vec![4, 4]
            })
        }
    };
    vec![Op::Posterize(v1::Posterize { bits, p: leaf.p() })]
}

fn equalize(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let pil = v1::EqualizeMethod::AlbumentationsPil.into();
    let method = leaf.word("mode", &[("cv", v1::EqualizeMethod::Opencv.into()), ("pil", pil)]);
    leaf.node.only("mask", &[], "a mask of its own is not supported");
    leaf.node.only("mask_params", &[json!([])], "a mask of its own is not supported");
    let by_channels = leaf.node.flag("by_channels");
    vec![Op::Equalize(v1::Equalize { method, by_channels, p: leaf.p() })]
}

fn auto_contrast(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let methods = [
        ("cdf", v1::AutoContrastMethod::Albumentations.into()),
        ("pil", v1::AutoContrastMethod::AlbumentationsLinear.into()),
    ];
    let method = leaf.word("method", &methods);
    leaf.node.only("ignore", &[], "a value that does not count is not supported");
    let cutoff = leaf.node.number("cutoff");
    vec![Op::AutoContrast(v1::AutoContrast { cutoff, method, p: leaf.p() })]
}

fn invert(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::Invert(v1::Invert { p: leaf.p() })]
}

fn to_sepia(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::ToSepia(v1::ToSepia { p: leaf.p() })]
}

fn channel_shuffle(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::ChannelShuffle(v1::ChannelShuffle { p: leaf.p() })]
}

fn channel_dropout(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let channel_drop_range = leaf.node.two_whole("channel_drop_range").unwrap_or([1, 1]).to_vec();
    let fill = leaf.node.number("fill");
    vec![Op::ChannelDropout(v1::ChannelDropout { channel_drop_range, fill, p: leaf.p() })]
}

fn fancy_pca(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::FancyPca(v1::FancyPca { alpha: leaf.node.number("alpha"), p: leaf.p() })]
}

fn random_tone_curve(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (scale, per_channel) = (leaf.node.number("scale"), leaf.node.flag("per_channel"));
    vec![Op::RandomToneCurve(v1::RandomToneCurve { scale, per_channel, p: leaf.p() })]
}
