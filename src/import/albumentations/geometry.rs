use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::Import;
use super::common::{Beyond, Leaf, Resampling};

/// Classes that move pixels.
pub(super) const CLASSES: &[(&str, Import)] = &[
    ("CenterCrop", center_crop),
    ("Crop", crop),
    ("D4", d4),
    ("HorizontalFlip", horizontal_flip),
    ("LongestMaxSize", longest_max_size),
    ("Pad", pad),
    ("PadIfNeeded", pad_if_needed),
    ("RandomCrop", random_crop),
    ("RandomResizedCrop", random_resized_crop),
    ("RandomRotate90", random_rotate90),
    ("RandomScale", random_scale),
    ("RandomSizedCrop", random_sized_crop),
    ("Resize", resize),
    ("SmallestMaxSize", smallest_max_size),
    ("SquareSymmetry", d4),
    ("Transpose", transpose),
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

fn d4(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::D4(v1::D4 { p: leaf.p() })]
}

fn transpose(leaf: &mut Leaf<'_>) -> Vec<Op> {
    vec![Op::Transpose(v1::Transpose { p: leaf.p() })]
}

fn random_scale(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let scale = leaf.symmetric("scale_limit", [-0.1, 0.1]).into_iter().map(|limit| limit + 1.0).collect();
    let Resampling { filter, antialias } = leaf.resampling();
    vec![Op::RandomScale(v1::RandomScale { scale, filter, antialias, p: leaf.p() })]
}

fn random_sized_crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let [height, width] = leaf.size();
    if !leaf.node.has("min_max_height") {
        leaf.node.refuse("min_max_height", "missing", "expected two numbers of pixels");
    }
    let min_max_height = leaf.node.two_whole("min_max_height").unwrap_or_default().map(f64::from).to_vec();
    let w2h_ratio = leaf.node.number("w2h_ratio");
    let Resampling { filter, antialias } = leaf.resampling();
    let p = leaf.p();
    vec![Op::RandomSizedCrop(v1::RandomSizedCrop { height, width, min_max_height, w2h_ratio, filter, antialias, p })]
}

/// `max_size` and `max_size_hw`: one side or several to choose from, or a most height and width.
fn most(leaf: &mut Leaf<'_>) -> (Vec<u32>, [u32; 2]) {
    let read = |value: &Value| -> Option<Vec<u32>> {
        let side = |side: &Value| u32::try_from(side.as_u64()?).ok();
        match value {
            Value::Array(sides) => sides.iter().map(side).collect(),
            one => side(one).map(|one| vec![one]),
        }
    };
    let sides = leaf.node.take("max_size").map(|value| (read(&value), value));
    let sides = match sides {
        Some((None, value)) => {
            leaf.node.refuse("max_size", &value, "expected a number of pixels, or several");
            Vec::new()
        }
        Some((Some(sides), _)) => sides,
        None => Vec::new(),
    };
    let both = leaf.node.take("max_size_hw").map(|value| {
        let side = |side: &Value| if side.is_null() { Some(0) } else { u32::try_from(side.as_u64()?).ok() };
        let read: Option<Vec<u32>> = value.as_array().and_then(|sides| sides.iter().map(side).collect());
        (read.and_then(|sides| <[u32; 2]>::try_from(sides).ok()), value)
    });
    let both = match both {
        Some((None, value)) => {
            leaf.node.refuse("max_size_hw", &value, "expected a height and a width, one of them perhaps null");
            [0; 2]
        }
        Some((Some(both), _)) => both,
        None => [0; 2],
    };
    (sides, both)
}

fn longest_max_size(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (max_size, [max_height, max_width]) = most(leaf);
    let Resampling { filter, antialias } = leaf.resampling();
    let p = leaf.p();
    vec![Op::LongestMaxSize(v1::LongestMaxSize { max_size, max_height, max_width, filter, antialias, p })]
}

fn smallest_max_size(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (max_size, [max_height, max_width]) = most(leaf);
    let Resampling { filter, antialias } = leaf.resampling();
    let p = leaf.p();
    vec![Op::SmallestMaxSize(v1::SmallestMaxSize { max_size, max_height, max_width, filter, antialias, p })]
}

fn pad(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let padding = match leaf.node.peek("padding").and_then(Value::as_u64) {
        Some(_) => leaf.node.whole("padding").map_or_else(Vec::new, |padding| vec![padding]),
        None => {
            let numbers = leaf.node.numbers("padding").unwrap_or_else(|| vec![0.0]);
            let whole = |number: f64| (0.0..=65536.0).contains(&number) && number.trunc() == number;
            if !matches!(numbers.len(), 1 | 2 | 4) || !numbers.iter().all(|number| whole(*number)) {
                leaf.node.refuse("padding", format!("{numbers:?}"), "expected 1, 2 or 4 whole numbers, not negative");
            }
            numbers.into_iter().map(|number| number as u32).collect()
        }
    };
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    vec![Op::Pad(v1::Pad { padding, border, fill, fill_mask, p: leaf.p() })]
}

fn pad_if_needed(leaf: &mut Leaf<'_>) -> Vec<Op> {
    // Albumentations saves it, and reads it not.
    leaf.node.only("padding", &[json!(0)], "the sides say how much is padded");
    let mut side = |least: &str, divisor: &str| {
        let divisor = leaf.node.whole(divisor).unwrap_or(0);
        // The least side is null where there is a divisor, 1024 where nothing is said.
        let default = if divisor > 0 || leaf.node.peek(least).is_some() { 0 } else { 1024 };
        (leaf.node.whole(least).unwrap_or(default), divisor)
    };
    let (min_height, height_divisor) = side("min_height", "pad_height_divisor");
    let (min_width, width_divisor) = side("min_width", "pad_width_divisor");
    let position = position(leaf, "position");
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    let p = leaf.p();
    vec![Op::PadIfNeeded(v1::PadIfNeeded {
        min_height,
        min_width,
        height_divisor,
        width_divisor,
        position,
        border,
        fill,
        fill_mask,
        p,
    })]
}

fn position(leaf: &mut Leaf<'_>, name: &str) -> i32 {
    let words = [
        ("center", v1::Position::Center.into()),
        ("top_left", v1::Position::TopLeft.into()),
        ("top_right", v1::Position::TopRight.into()),
        ("bottom_left", v1::Position::BottomLeft.into()),
        ("bottom_right", v1::Position::BottomRight.into()),
        ("random", v1::Position::Random.into()),
    ];
    leaf.word(name, &words)
}

fn center_crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (height, width) = (leaf.node.pixels("height"), leaf.node.pixels("width"));
    let crop = Op::CenterCrop(v1::CenterCrop { height, width, centre: v1::Centre::Floor.into() });
    padded(leaf, height, width).into_iter().chain([crop]).collect()
}

fn random_crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let (height, width) = (leaf.node.pixels("height"), leaf.node.pixels("width"));
    let crop = Op::RandomCrop(v1::RandomCrop { height, width, ..Default::default() });
    padded(leaf, height, width).into_iter().chain([crop]).collect()
}

/// What pads an image that is smaller than the crop, if that is wanted.
fn padded(leaf: &mut Leaf<'_>, min_height: u32, min_width: u32) -> Option<Op> {
    let wanted = leaf.node.flag("pad_if_needed").unwrap_or(false);
    let position = position(leaf, "pad_position");
    let Beyond { border, fill, fill_mask } = leaf.beyond();
    wanted.then(|| {
        Op::PadIfNeeded(v1::PadIfNeeded {
            min_height,
            min_width,
            position,
            border,
            fill,
            fill_mask,
            ..Default::default()
        })
    })
}

fn crop(leaf: &mut Leaf<'_>) -> Vec<Op> {
    let [x, y] = ["x_min", "y_min"].map(|name| leaf.node.whole(name).unwrap_or(0));
    let [right, bottom] = ["x_max", "y_max"].map(|name| leaf.node.whole(name).unwrap_or(1024));
    leaf.node.only("pad_if_needed", &[json!(false)], "padding an image that the window does not fit is not supported");
    // Without padding none of these says anything.
    position(leaf, "pad_position");
    leaf.beyond();
    let (width, height) = (right.saturating_sub(x), bottom.saturating_sub(y));
    vec![Op::FixedCrop(v1::FixedCrop { height, width, x, y, ..Default::default() })]
}
