use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::Import;
use super::common::{Beyond, Leaf};

/// Classes that turn, shear and bend.
pub(super) const CLASSES: &[(&str, Import)] = &[
    ("Affine", affine),
    ("ElasticTransform", elastic),
    ("GridDistortion", grid_distortion),
    ("OpticalDistortion", optical_distortion),
    ("Perspective", perspective),
    ("Rotate", rotate),
    ("ShiftScaleRotate", shift_scale_rotate),
];

/// `rotate_method`.
fn hull(leaf: &mut Leaf<'_>) -> i32 {
    let words = [("largest_box", v1::BoxHull::Corners.into()), ("ellipse", v1::BoxHull::Ellipse.into())];
    leaf.word("rotate_method", &words)
}

/// A range for each axis: `{x: [low, high], y: …}`, where a number stands for two equal ones, and one range for both.
fn axes(leaf: &mut Leaf<'_>, name: &str, default: f64) -> Option<[Vec<f64>; 2]> {
    let value = leaf.node.take(name)?;
    let range = |value: Option<&Value>| -> Option<Vec<f64>> {
        match value {
            None | Some(Value::Null) => Some(vec![default; 2]),
            Some(Value::Array(pair)) if pair.len() == 2 => pair.iter().map(Value::as_f64).collect(),
            Some(one) => one.as_f64().map(|one| vec![one; 2]),
        }
    };
    let known = |name: &String| ["x", "y"].contains(&&**name);
    let [x, y] = match &value {
        Value::Object(axes) if axes.keys().all(known) => [range(axes.get("x")), range(axes.get("y"))],
        Value::Object(_) => [None, None],
        both => [range(Some(both)), range(Some(both))],
    };
    let (Some(x), Some(y)) = (x, y) else {
        leaf.node.refuse(name, &value, "expected two numbers, for each axis or for both");
        return None;
    };
    Some([x, y])
}

fn affine(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("fit_output", &[json!(false)], "rows would differ in size");
    let keep_ratio = leaf.node.flag("keep_ratio").unwrap_or(false);
    let [scale, scale_y] = axes(leaf, "scale", 1.0).unwrap_or_else(|| [vec![1.0; 2], vec![1.0; 2]]);
    let share = axes(leaf, "translate_percent", 0.0);
    let pixels = axes(leaf, "translate_px", 0.0);
    let [translate_x, translate_y] = share.unwrap_or_default();
    let [translate_px_x, translate_px_y] = pixels.unwrap_or_default();
    let [shear_x, shear_y] = axes(leaf, "shear", 0.0).unwrap_or_default();
    let rotate = match leaf.node.peek("rotate").and_then(Value::as_f64) {
        // A number is an angle here, not a limit.
        Some(angle) => {
            leaf.node.take("rotate");
            vec![angle; 2]
        }
        None => leaf.node.range("rotate", [0.0, 0.0]),
    };
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    vec![Op::Affine(v1::Affine {
        method: v1::WarpMethod::Albumentations.into(),
        scale,
        scale_y: if keep_ratio { Vec::new() } else { scale_y },
        keep_ratio,
        balanced_scale: leaf.node.flag("balanced_scale").unwrap_or(false),
        translate_x,
        translate_y,
        translate_px_x,
        translate_px_y,
        rotate,
        shear_x,
        shear_y,
        filter: leaf.warping(),
        border,
        fill,
        fill_mask,
        rotate_method: hull(leaf),
        p: leaf.p(),
    })]
}

fn rotate(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("crop_border", &[json!(false)], "rows would differ in size");
    let degrees = leaf.symmetric("limit", [-90.0, 90.0]);
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    vec![Op::Rotate(v1::Rotate {
        method: v1::WarpMethod::Albumentations.into(),
        degrees,
        filter: leaf.warping(),
        border,
        fill,
        fill_mask,
        rotate_method: hull(leaf),
        p: leaf.p(),
    })]
}

fn shift_scale_rotate(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let both = leaf.symmetric("shift_limit", [-0.0625, 0.0625]);
    let both = <[f64; 2]>::try_from(both).unwrap_or_default();
    let (shift_x, shift_y) = (leaf.symmetric("shift_limit_x", both), leaf.symmetric("shift_limit_y", both));
    let scale = leaf.symmetric("scale_limit", [-0.1, 0.1]);
    let rotate = leaf.symmetric("rotate_limit", [-45.0, 45.0]);
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    let filter = leaf.warping();
    let rotate_method = hull(leaf);
    let p = leaf.p();
    vec![Op::ShiftScaleRotate(v1::ShiftScaleRotate {
        shift_x,
        shift_y,
        scale,
        rotate,
        filter,
        border,
        fill,
        fill_mask,
        rotate_method,
        p,
    })]
}

fn perspective(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("keep_size", &[json!(true)], "rows would differ in size");
    leaf.node.only("fit_output", &[json!(false)], "showing all of the image is not supported");
    let scale = leaf.node.range("scale", [0.05, 0.1]);
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    vec![Op::Perspective(v1::Perspective {
        method: v1::WarpMethod::Albumentations.into(),
        scale,
        filter: leaf.warping(),
        border,
        fill,
        fill_mask,
        p: leaf.p(),
        ..Default::default()
    })]
}

/// How albumentations finds keypoints again: feedline computes where they go.
fn keypoints(leaf: &mut Leaf<'_>) {
    let why = "expected mask or direct; feedline computes where keypoints go, to fractions of a pixel";
    leaf.node.only("keypoint_remapping_method", &[json!("mask"), json!("direct")], why);
}

fn elastic(leaf: &mut Leaf<'_>) -> Vec<Op> {
    keypoints(leaf);
    leaf.node.only("approximate", &[json!(false)], "a rougher field is not supported");
    let noises = [("gaussian", v1::FieldNoise::Gaussian.into()), ("uniform", v1::FieldNoise::Uniform.into())];
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    vec![Op::Elastic(v1::Elastic {
        method: v1::WarpMethod::Albumentations.into(),
        alpha: leaf.node.number("alpha"),
        sigma: leaf.node.number("sigma"),
        noise: leaf.word("noise_distribution", &noises),
        same_dxdy: leaf.node.flag("same_dxdy").unwrap_or(false),
        filter: leaf.warping(),
        border,
        fill,
        fill_mask,
        p: leaf.p(),
    })]
}

fn grid_distortion(leaf: &mut Leaf<'_>) -> Vec<Op> {
    keypoints(leaf);
    let distort = leaf.symmetric("distort_limit", [-0.3, 0.3]);
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    vec![Op::GridDistortion(v1::GridDistortion {
        num_steps: Some(leaf.node.whole("num_steps").unwrap_or(5)),
        distort,
        normalized: leaf.node.flag("normalized"),
        filter: leaf.warping(),
        border,
        fill,
        fill_mask,
        p: leaf.p(),
    })]
}

fn optical_distortion(leaf: &mut Leaf<'_>) -> Vec<Op> {
    keypoints(leaf);
    let distort = leaf.symmetric("distort_limit", [-0.05, 0.05]);
    let lenses = [("camera", v1::Lens::Camera.into()), ("fisheye", v1::Lens::Fisheye.into())];
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    vec![Op::OpticalDistortion(v1::OpticalDistortion {
        distort,
        lens: leaf.word("mode", &lenses),
        filter: leaf.warping(),
        border,
        fill,
        fill_mask,
        p: leaf.p(),
    })]
}
