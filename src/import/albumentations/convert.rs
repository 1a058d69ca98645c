use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::Import;
use super::common::Leaf;

/// Classes that change the type of pixels, or nothing.
pub(super) const CLASSES: &[(&str, Import)] =
    &[("NoOp", no_op), ("Normalize", normalize), ("ToFloat", to_float), ("ToRGB", to_rgb), ("ToTensorV2", to_tensor)];

fn no_op(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.spent = true;
    Vec::new()
}

fn normalize(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("normalization", &[json!("standard")], "the mean would be that of each image: not supported");
    let divisor = match leaf.node.number("max_pixel_value") {
        Some(value) if value > 0.0 => value,
        Some(value) => {
            leaf.node.refuse("max_pixel_value", value, "expected a number above 0");
            255.0
        }
        None => 255.0,
    };
    let mean = per_channel(leaf, "mean", [0.485, 0.456, 0.406]);
    let std = per_channel(leaf, "std", [0.229, 0.224, 0.225]);
    vec![Op::ToFloat(v1::ToFloat { divisor: Some(divisor) }), Op::Normalize(v1::Normalize { mean, std })]
}

/// One number per channel; a single one stands for all.
fn per_channel(leaf: &mut Leaf<'_>, name: &str, default: [f64; 3]) -> Vec<f64> {
    let Some(value) = leaf.node.take(name) else { return default.to_vec() };
    let numbers: Option<Vec<f64>> = match &value {
        Value::Array(values) => values.iter().map(Value::as_f64).collect(),
        one => one.as_f64().map(|one| vec![one]),
    };
    match numbers {
        Some(numbers) if numbers.len() == 1 => vec![numbers[0]; leaf.channels],
        Some(numbers) if numbers.len() == leaf.channels => numbers,
        _ => {
            leaf.node.refuse(name, &value, format!("expected a number, or {} numbers", leaf.channels));
            default.to_vec()
        }
    }
}

fn to_float(leaf: &mut Leaf<'_>) -> Vec<Op> {
    // Without it albumentations takes the largest value of the type, and images come in with 8 bits.
    let divisor = leaf.node.number("max_value").unwrap_or(255.0);
    vec![Op::ToFloat(v1::ToFloat { divisor: Some(divisor) })]
}

fn to_rgb(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("num_output_channels", &[json!(3)], "images have 3 channels, or 1");
    if leaf.channels == 3 {
        leaf.spent = true;
        leaf.node.notice_all("ToRGB", "dropped: the images have three channels already");
        return Vec::new();
    }
    leaf.channels = 3;
    vec![Op::Grayscale(v1::Grayscale { channels: Some(3), p: leaf.p(), ..Default::default() })]
}

fn to_tensor(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.spent = true;
    leaf.node.take("transpose_mask");
    leaf.node.notice_all("ToTensorV2", "dropped: layout and dtype belong to the delivery (--layout nchw, --dtype)");
    Vec::new()
}
