use feedline_proto::v1::{self, op::Op};
use serde_json::json;

use super::Import;
use super::common::{Leaf, Resampling};

/// Classes that move pixels.
pub(super) const CLASSES: &[(&str, Import)] = &[
    ("CenterCrop", center_crop),
    ("Crop", crop),
    ("HorizontalFlip", horizontal_flip),
    ("RandomCrop", random_crop),
    ("RandomResizedCrop", random_resized_crop),
    ("RandomRotate90", random_rotate90),
    ("Resize", resize),
    ("VerticalFlip", vertical_flip),
];

fn horizontal_flip(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::HorizontalFlip(v1::HorizontalFlip { p: leaf.p() })]
}

fn vertical_flip(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::VerticalFlip(v1::VerticalFlip { p: leaf.p() })]
}

fn random_rotate90(leaf: &mut Leaf<'_>) -> Vec<Op> {
    // A factor of 0 to 3, none included.
    vec![Op::Rot90(v1::Rot90 { turns: vec![0, 1, 2, 3], p: leaf.p() })]
}

fn resize(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (height, width) = (leaf.node.pixels("height"), leaf.node.pixels("width"));
    let Resampling { filter, antialias } = leaf.resampling();
    vec![Op::Resize(v1::Resize { height, width, filter, antialias, ..Default::default() })]
}

fn random_resized_crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let [height, width] = leaf.size();
    let scale = leaf.node.range("scale", [0.08, 1.0]);
    let ratio = leaf.node.range("ratio", [0.75, 1.333_333_333_333_333_3]);
    let Resampling { filter, antialias } = leaf.resampling();
    vec![Op::RandomResizedCrop(v1::RandomResizedCrop { height, width, scale, ratio, filter, antialias })]
}

fn center_crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (height, width) = (leaf.node.pixels("height"), leaf.node.pixels("width"));
    padding(leaf);
    vec![Op::CenterCrop(v1::CenterCrop { height, width, centre: v1::Centre::Floor.into() })]
}

fn random_crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (height, width) = (leaf.node.pixels("height"), leaf.node.pixels("width"));
    padding(leaf);
    vec![Op::RandomCrop(v1::RandomCrop { height, width, ..Default::default() })]
}

fn crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let [x, y] = ["x_min", "y_min"].map(|name| leaf.node.whole(name).unwrap_or(0));
    let [right, bottom] = ["x_max", "y_max"].map(|name| leaf.node.whole(name).unwrap_or(1024));
    padding(leaf);
    let (width, height) = (right.saturating_sub(x), bottom.saturating_sub(y));
    vec![Op::FixedCrop(v1::FixedCrop { height, width, x, y, ..Default::default() })]
}

/// Arguments that say how an image smaller than the crop is padded, which need not be looked at if it is not.
fn padding(leaf: &mut Leaf<'_>) {
    leaf.node.only("pad_if_needed", &[json!(false)], "padding before a crop is not supported");
    for name in ["border_mode", "fill", "fill_mask", "pad_position"] {
        leaf.node.take(name);
    }
}
