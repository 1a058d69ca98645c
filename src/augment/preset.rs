use feedline_proto::v1::{self, op::Op};

/// Names of the presets, with what each is for.
pub const PRESETS: [(&str, &str); 4] = [
    ("imagenet-train", "random resized crop 224, flip, colour jitter 0.4, normalise: torchvision's training recipe"),
    ("imagenet-eval", "resize 256, centre crop 224, normalise: torchvision's evaluation recipe"),
    ("tutorial", "resize 224 to floats, / 255, flip, brightness 0.2, clip: the tf.image tutorial"),
    ("none", "nothing: images as they are, which must be of one size or come one by one"),
];

/// The ops of a preset; none if there is no such preset.
pub fn ops(name: &str) -> Option<Vec<v1::Op>> {
    let resized = |edge| v1::Resize { height: edge, width: edge, ..Default::default() };
    let ops = match name {
        "imagenet-train" => vec![
            Op::RandomResizedCrop(v1::RandomResizedCrop { height: 224, width: 224, ..Default::default() }),
            Op::HorizontalFlip(v1::HorizontalFlip::default()),
            Op::ColorJitter(v1::ColorJitter {
                brightness: vec![0.6, 1.4],
                contrast: vec![0.6, 1.4],
                saturation: vec![0.6, 1.4],
                ..Default::default()
            }),
            Op::ToFloat(v1::ToFloat::default()),
            Op::Normalize(v1::Normalize::default()),
        ],
        "imagenet-eval" => vec![
            Op::Resize(v1::Resize { shortest_edge: 256, ..Default::default() }),
            Op::CenterCrop(v1::CenterCrop { height: 224, width: 224, ..Default::default() }),
            Op::ToFloat(v1::ToFloat::default()),
            Op::Normalize(v1::Normalize::default()),
        ],
        "tutorial" => vec![
            Op::Resize(v1::Resize { antialias: Some(false), output: v1::Output::Float.into(), ..resized(224) }),
            Op::ToFloat(v1::ToFloat::default()),
            Op::HorizontalFlip(v1::HorizontalFlip::default()),
            Op::Brightness(v1::Brightness { delta: vec![-0.2, 0.2], ..Default::default() }),
            Op::Clip(v1::Clip::default()),
        ],
        "none" => Vec::new(),
        _ => return None,
    };
    Some(ops.into_iter().map(|op| v1::Op { op: Some(op) }).collect())
}
