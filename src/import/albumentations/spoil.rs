use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::Import;
use super::common::Leaf;

/// Classes that blur, sharpen, add noise, compress and cut holes.
pub(super) const CLASSES: &[(&str, Import)] = &[
    ("Blur", blur),
    ("CoarseDropout", coarse_dropout),
    ("Downscale", downscale),
    ("Erasing", erasing),
    ("GaussNoise", gauss_noise),
    ("GaussianBlur", gaussian_blur),
    ("GridDropout", grid_dropout),
    ("ISONoise", iso_noise),
    ("ImageCompression", image_compression),
    ("MedianBlur", median_blur),
    ("MotionBlur", motion_blur),
    ("MultiplicativeNoise", multiplicative_noise),
    ("PixelDropout", pixel_dropout),
    ("SaltAndPepper", salt_and_pepper),
    ("Sharpen", sharpen),
    ("ShotNoise", shot_noise),
];

/// `blur_limit`: odd numbers from 3, an even end rounded up as albumentations does.
fn kernel_size(leaf: &mut Leaf<'_>) -> Vec<u32> {
    leaf.node.two_whole("blur_limit").unwrap_or([3, 7]).map(|side| (side | 1).max(3)).to_vec()
}

fn blur(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::BoxBlur(v1::BoxBlur { kernel_size: kernel_size(leaf), p: leaf.p() })]
}

fn median_blur(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::MedianBlur(v1::MedianBlur { kernel_size: kernel_size(leaf), p: leaf.p() })]
}

fn motion_blur(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::MotionBlur(v1::MotionBlur {
        kernel_size: kernel_size(leaf),
        angle: leaf.node.range("angle_range", [0.0, 360.0]),
        direction: leaf.node.range("direction_range", [-1.0, 1.0]),
        allow_shifted: leaf.node.flag("allow_shifted"),
        p: leaf.p(),
    })]
}

/// A whole number is drawn for the side of the kernel, even ones are made odd, and 0 is what sigma says: one op for each side.
fn gaussian_blur(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let sigma = leaf.node.range("sigma_limit", [0.5, 3.0]);
    let [low, high] = leaf.node.two_whole("blur_limit").unwrap_or([0, 0]);
    if high < low || high > MOST_SIDE {
        leaf.node.refuse("blur_limit", format!("[{low}, {high}]"), format!("expected two sides, at most {MOST_SIDE}"));
        return Vec::new();
    }
    let mut sides: Vec<(u32, f64)> = Vec::new();
    for side in (low..=high).map(|side| if side == 0 { 0 } else { side | 1 }) {
        match sides.last_mut() {
            Some((last, weight)) if *last == side => *weight += 1.0,
            _ => sides.push((side, 1.0)),
        }
    }
    let method = v1::GaussianBlurMethod::Albumentations.into();
    let blur = |kernel_size, p| Op::GaussianBlur(v1::GaussianBlur { kernel_size, sigma: sigma.clone(), method, p });
    if let [(side, _)] = sides[..] {
        return vec![blur(side, leaf.p())];
    }
    let ops = sides.iter().map(|(side, _)| v1::Op { op: Some(blur(*side, None)) }).collect();
    let weights = sides.iter().map(|(_, weight)| *weight).collect();
    vec![Op::OneOf(v1::OneOf { ops, weights, p: leaf.p() })]
}

fn sharpen(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("method", &[json!("kernel")], "expected kernel; the difference to a Gaussian is not supported");
    // Those of the method gaussian, which nobody reads.
    leaf.node.whole("kernel_size");
    leaf.node.number("sigma");
    let (alpha, lightness) = (leaf.node.range("alpha", [0.2, 0.5]), leaf.node.range("lightness", [0.5, 1.0]));
    vec![Op::Sharpen(v1::Sharpen { alpha, lightness, p: leaf.p() })]
}

fn gauss_noise(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("noise_scale_factor", &[json!(1)], "noise of a lower resolution is not supported");
    vec![Op::GaussNoise(v1::GaussNoise {
        std: leaf.node.range("std_range", [0.2, 0.44]),
        mean: leaf.node.range("mean_range", [0.0, 0.0]),
        per_channel: leaf.node.flag("per_channel"),
        p: leaf.p(),
    })]
}

fn multiplicative_noise(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::MultiplicativeNoise(v1::MultiplicativeNoise {
        multiplier: leaf.node.range("multiplier", [0.9, 1.1]),
        per_channel: leaf.node.flag("per_channel").unwrap_or(false),
        elementwise: leaf.node.flag("elementwise").unwrap_or(false),
        p: leaf.p(),
    })]
}

fn iso_noise(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let color_shift = leaf.node.range("color_shift", [0.01, 0.05]);
    let intensity = leaf.node.range("intensity", [0.1, 0.5]);
    vec![Op::IsoNoise(v1::IsoNoise { color_shift, intensity, p: leaf.p() })]
}

fn shot_noise(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::ShotNoise(v1::ShotNoise { scale: leaf.node.range("scale_range", [0.1, 0.3]), p: leaf.p() })]
}

fn salt_and_pepper(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let amount = leaf.node.range("amount", [0.01, 0.06]);
    let salt_vs_pepper = leaf.node.range("salt_vs_pepper", [0.4, 0.6]);
    vec![Op::SaltAndPepper(v1::SaltAndPepper { amount, salt_vs_pepper, p: leaf.p() })]
}

fn image_compression(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("compression_type", &[json!("jpeg")], "expected jpeg");
    let quality = leaf.node.two_whole("quality_range").unwrap_or([99, 100]).to_vec();
    // It hands RGB to an encoder that expects BGR.
    vec![Op::Jpeg(v1::Jpeg { quality, swap_red_blue: true, p: leaf.p() })]
}

fn downscale(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let nearest = [json!({ "downscale": 0, "upscale": 0 }), json!(0)];
    leaf.node.only("interpolation_pair", &nearest, "expected the nearest pixel (0) both ways");
    vec![Op::Downscale(v1::Downscale { scale: leaf.node.range("scale_range", [0.25, 0.25]), p: leaf.p() })]
}

/// What a hole is filled with: a colour, or a kind of noise.
fn hole(leaf: &mut Leaf<'_>) -> (i32, Vec<f64>) {
    let word = leaf.node.peek("fill").and_then(Value::as_str).map(ToOwned::to_owned);
    if word.is_none() {
        return (v1::HoleFill::Constant.into(), leaf.colour("fill"));
    }
    let words = [("random", v1::HoleFill::Random.into()), ("random_uniform", v1::HoleFill::RandomUniform.into())];
    (leaf.word("fill", &words), Vec::new())
}

fn coarse_dropout(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (fill, color) = hole(leaf);
    vec![Op::CoarseDropout(v1::CoarseDropout {
        num_holes: leaf.node.two_whole("num_holes_range").unwrap_or([1, 2]).to_vec(),
        hole_height: leaf.node.range("hole_height_range", [0.1, 0.2]),
        hole_width: leaf.node.range("hole_width_range", [0.1, 0.2]),
        fill,
        color,
        fill_mask: leaf.class("fill_mask"),
        p: leaf.p(),
    })]
}

fn grid_dropout(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (fill, color) = hole(leaf);
    leaf.node.only("unit_size_range", &[], "cells of so many pixels are not supported: say how many (holes_number_xy)");
    let holes_number = match leaf.node.two_whole("holes_number_xy") {
        // It takes the first for rows, whatever the name.
        Some([rows, columns]) => vec![columns, rows],
        None => {
            let why = "a grid of 10 x 10, as in albumentations for images of 100 pixels or more a side";
            leaf.node.notice("holes_number_xy", "null", why);
            vec![10, 10]
        }
    };
    vec![Op::GridDropout(v1::GridDropout {
        ratio: leaf.node.number("ratio"),
        random_offset: leaf.node.flag("random_offset"),
        holes_number,
        shift: leaf.node.two_whole("shift_xy").unwrap_or([0, 0]).to_vec(),
        fill,
        color,
        fill_mask: leaf.class("fill_mask"),
        p: leaf.p(),
    })]
}

fn erasing(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let scale = leaf.node.range("scale", [0.02, 0.33]);
    let ratio = leaf.node.range("ratio", [0.3, 3.3]);
    let (fill, value) = hole(leaf);
    let mode = match v1::HoleFill::try_from(fill) {
        Ok(v1::HoleFill::Random) => v1::EraseMode::Uniform,
        Ok(v1::HoleFill::RandomUniform) => v1::EraseMode::UniformColor,
        _ => v1::EraseMode::Const,
    };
    vec![Op::RandomErasing(v1::RandomErasing {
        scale,
        ratio,
        mode: mode.into(),
        value,
        p: leaf.p(),
        method: v1::EraseMethod::Albumentations.into(),
        fill_mask: leaf.class("fill_mask"),
        ..Default::default()
    })]
}

fn pixel_dropout(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("mask_drop_value", &[], "the mask stays as it is");
    if leaf.node.peek("drop_value").is_some_and(Value::is_null) {
        leaf.node.refuse("drop_value", "null", "random colours are not supported");
    }
    vec![Op::PixelDropout(v1::PixelDropout {
        dropout_prob: leaf.node.number("dropout_prob"),
        per_channel: leaf.node.flag("per_channel").unwrap_or(false),
        drop_value: leaf.colour("drop_value"),
        p: leaf.p(),
    })]
}

/// Largest side of a kernel.
const MOST_SIDE: u32 = 255;
