use feedline_proto::v1::{self, op::Op};
use serde_json::json;

use super::Import;
use super::common::Leaf;

/// Classes that change colours.
pub(super) const CLASSES: &[(&str, Import)] = &[("ColorJitter", color_jitter), ("ToGray", to_gray)];

fn to_gray(leaf: &mut Leaf<'_>) -> Vec<Op> {
    leaf.node.only("method", &[json!("weighted_average")], "expected weighted_average, what OpenCV computes");
    let channels = leaf.node.whole("num_output_channels").unwrap_or(3);
    if channels == 1 {
        leaf.channels = 1;
    }
    vec![Op::Grayscale(v1::Grayscale { channels: Some(channels), method: v1::GrayMethod::Opencv.into(), p: leaf.p() })]
}

fn color_jitter(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let factor = [0.8, 1.2];
    let (brightness, contrast) = (leaf.node.range("brightness", factor), leaf.node.range("contrast", factor));
    let (saturation, hue) = (leaf.node.range("saturation", factor), leaf.node.range("hue", [-0.5, 0.5]));
    let difference = "the parts are torchvision's: the same factors in a random order too, but OpenCV rounds saturation where \
                      torchvision cuts off, and turns the hue in steps of two degrees";
    leaf.near("hue", "a ColorJitter of OpenCV", difference);
    vec![Op::ColorJitter(v1::ColorJitter { brightness, contrast, saturation, hue, p: leaf.p() })]
}
