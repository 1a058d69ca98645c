use std::collections::BTreeMap;

use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::node::Node;
use super::report::Report;
use super::step::Step;

/// The steps of a model's `config.json`, or of arguments of `create_transform`, and who wrote it.
pub(super) fn import(document: Value, approximate: bool, report: &mut Report) -> Result<(String, Vec<Step>), String> {
    let Value::Object(document) = document else { return Err("not an object".into()) };
    let mut values: BTreeMap<String, Value> = document.into_iter().collect();
    let model = values.get("architecture").and_then(Value::as_str).unwrap_or("create_transform").to_owned();
    let mut unread = Vec::new();
    if let Some(Value::Object(config)) = values.remove("pretrained_cfg") {
        // Of a model's configuration timm reads these; the rest is about the model.
        let (read, rest): (Vec<_>, Vec<_>) = config.into_iter().partition(|(name, _)| CONFIGURATION.contains(&&**name));
        unread.extend(rest.into_iter().map(|(name, _)| name));
        for (name, value) in read {
            values.entry(name).or_insert(value);
        }
    }
    values.retain(|name, _| {
        let kept = !ABOUT_THE_MODEL.contains(&&**name);
        unread.extend((!kept).then(|| name.clone()));
        kept
    });
    if !unread.is_empty() {
        report.notice("pretrained_cfg", unread.join(", "), "not read: about the model, not about its images");
    }
    if !["input_size", "mean", "crop_pct", "is_training"].iter().any(|name| values.contains_key(*name)) {
        return Err(
            "neither a model configuration of timm nor arguments of its create_transform: no input_size, mean, \
                    crop_pct or is_training"
                .into(),
        );
    }
    let mut node = Node::new("timm", values, report);
    let training = node.flag("is_training").unwrap_or(false);
    let mut reader = Reader { node, approximate, steps: Vec::new() };
    reader.constant();
    let size = reader.size();
    let normalize = reader.normalize();
    if training {
        reader.training(size)
    } else {
        reader.evaluation(size)
    }
    reader.steps.extend(normalize);
    if training {
        reader.erasing();
    }
    let Reader { node, steps, .. } = reader;
    // Half of such a pipeline is none.
    Ok((format!("timm, {model}"), if node.finish() { steps } else { Vec::new() }))
}

struct Reader<'r> {
    node: Node<'r>,
    approximate: bool,
    steps: Vec<Step>,
}

impl Reader<'_> {
    fn push(&mut self, place: &str, op: Op) {
        self.steps.push(Step::new(place, op));
    }

    /// Arguments that leave images as they are, or that must not be set.
    fn constant(&mut self) {
        let no = [json!(false)];
        self.node.only("naflex", &no, "rows would differ in size");
        self.node.only("patchify", &no, "a batch holds images, not patches");
        self.node.only("tf_preprocessing", &no, "it runs TensorFlow 1");
        self.node.only("normalize", &[json!(true)], "leave the normalisation to the client: ask for u8 instead");
        self.node.only("separate", &no, "a batch has one pipeline; views are named in the loader spec");
        for name in ["use_prefetcher", "patch_size", "max_seq_len"] {
            self.node.take(name);
        }
    }

    fn size(&mut self) -> [u32; 2] {
        match self.node.take("input_size") {
            None => [224, 224],
            Some(value) => {
                let sides: Option<Vec<u32>> = match &value {
                    Value::Array(sides) => sides.iter().map(|side| u32::try_from(side.as_u64()?).ok()).collect(),
                    side => side.as_u64().and_then(|side| u32::try_from(side).ok()).map(|side| vec![side; 2]),
                };
                match sides.as_deref() {
                    Some([3, height, width] | [height, width]) => [*height, *width],
                    _ => {
                        self.node.refuse("input_size", &value, "expected [3, height, width]");
                        [224, 224]
                    }
                }
            }
        }
    }

    fn normalize(&mut self) -> [Step; 2] {
        let mut numbers = |name: &str, default: [f64; 3]| self.node.numbers(name).unwrap_or_else(|| default.to_vec());
        let mean = numbers("mean", [0.485, 0.456, 0.406]);
        let std = numbers("std", [0.229, 0.224, 0.225]);
        [
            Step::new("ToTensor", Op::ToFloat(v1::ToFloat { divisor: Some(255.0) })),
            Step::new("Normalize(mean, std)", Op::Normalize(v1::Normalize { mean, std })),
        ]
    }

    fn interpolation(&mut self, default: &str) -> i32 {
        let text = self.node.text("interpolation").unwrap_or_else(|| default.to_owned());
        let filter = match &*text {
            "nearest" => v1::Filter::NearestExact,
            "bilinear" => v1::Filter::Bilinear,
            "bicubic" => v1::Filter::Bicubic,
            "box" => v1::Filter::Box,
            "lanczos" => v1::Filter::Lanczos3,
            "random" => {
                let why = "drawn anew for every image between bilinear and bicubic; an op has one filter: say which";
                self.node.refuse("interpolation", "random", why);
                v1::Filter::Unspecified
            }
            other => {
                self.node.refuse("interpolation", other, "expected nearest, bilinear, bicubic, box or lanczos");
                v1::Filter::Unspecified
            }
        };
        filter.into()
    }

    fn evaluation(&mut self, [height, width]: [u32; 2]) {
        self.not_training();
        let filter = self.interpolation("bilinear");
        let mut share = self.node.number("crop_pct").filter(|share| *share != 0.0).unwrap_or(0.875);
        if !(0.01..=100.0).contains(&share) {
            self.node.refuse("crop_pct", share, "expected a fraction such as 0.9");
            share = 0.875;
        }
        let scaled = |side: u32| (f64::from(side) / share).floor() as u32;
        self.node.only("crop_border_pixels", &[json!(0)], "cutting a border of the original off is not supported");
        let mode = self.node.text("crop_mode").unwrap_or_else(|| "center".into());
        let resize = match &*mode {
            "squash" => v1::Resize { height: scaled(height), width: scaled(width), filter, ..Default::default() },
            "center" if height == width => v1::Resize { shortest_edge: scaled(height), filter, ..Default::default() },
            "center" => {
                let why = "a size that is not square is resized by the side that needs it more: not supported";
                return self.node.refuse("input_size", format!("{height} x {width}"), why);
            }
            "border" => return self.node.refuse("crop_mode", "border", "padding to the longer side is not supported"),
            other => return self.node.refuse("crop_mode", other, "expected center or squash"),
        };
        self.push(&format!("Resize: floor(size / crop_pct), crop_mode {mode}"), Op::Resize(resize));
        self.push("CenterCrop", Op::CenterCrop(v1::CenterCrop { height, width, ..Default::default() }));
    }

    /// Arguments that only training reads.
    fn not_training(&mut self) {
        for name in TRAINING {
            if let Some(value) = self.node.take(name) {
                self.node.notice(name, &value, "not read: only training does (is_training)");
            }
        }
    }

    fn training(&mut self, [height, width]: [u32; 2]) {
        for name in ["crop_pct", "crop_mode", "crop_border_pixels"] {
            if let Some(value) = self.node.take(name) {
                self.node.notice(name, &value, "not read: only evaluation does");
            }
        }
        let plain = self.node.flag("no_aug").unwrap_or(false);
        if plain {
            let found = "no_aug: true";
            return self
                .node
                .refuse_all(found, "resize and crop without augmentation: import it with is_training false");
        }
        self.node.only("train_crop_mode", &[json!("rrc")], "expected rrc, a random resized crop");
        let filter = self.interpolation("random");
        let scale = self.node.range("scale", [0.08, 1.0]);
        let ratio = self.node.range("ratio", [0.75, 4.0 / 3.0]);
        let crop = v1::RandomResizedCrop { height, width, scale, ratio, filter, antialias: None };
        self.push("RandomResizedCropAndInterpolation(scale, ratio)", Op::RandomResizedCrop(crop));
        let horizontal = self.node.number("hflip").unwrap_or(0.5);
        let vertical = self.node.number("vflip").unwrap_or(0.0);
        if horizontal > 0.0 {
            self.push("RandomHorizontalFlip(hflip)", Op::HorizontalFlip(v1::HorizontalFlip { p: Some(horizontal) }));
        }
        if vertical > 0.0 {
            self.push("RandomVerticalFlip(vflip)", Op::VerticalFlip(v1::VerticalFlip { p: Some(vertical) }));
        }
        let policy = self.policy();
        self.jitter(policy.as_deref());
        if let Some(p) = self.node.number("grayscale_prob").filter(|p| *p > 0.0) {
            let method = v1::GrayMethod::Pillow.into();
            let gray = v1::Grayscale { p: Some(p), method, ..Default::default() };
            self.push("RandomGrayscale(grayscale_prob)", Op::Grayscale(gray));
        }
        if let Some(p) = self.node.number("gaussian_blur_prob").filter(|p| *p > 0.0) {
            // 23 is written into timm; the rest is the default of torchvision's GaussianBlur.
            let blur = v1::GaussianBlur { kernel_size: 23, sigma: vec![0.1, 2.0], p: Some(p), ..Default::default() };
            self.push("GaussianBlur(23) by gaussian_blur_prob", Op::GaussianBlur(blur));
        }
    }

    /// `auto_augment`.
    fn policy(&mut self) -> Option<String> {
        let policy = self.node.text("auto_augment").filter(|policy| !policy.is_empty())?;
        self.node.refuse("auto_augment", &policy, "policies of timm are not supported");
        Some(policy)
    }

    /// `color_jitter`, which a policy switches off.
    fn jitter(&mut self, policy: Option<&str>) {
        let forced = self.node.flag("force_color_jitter").unwrap_or(false);
        let p = self.node.number("color_jitter_prob");
        let explicit = self.node.take("color_jitter");
        if policy.is_some_and(|policy| !forced && !policy.contains("3a")) {
            return;
        }
        let value = explicit.unwrap_or_else(|| json!(0.4));
        let amounts: Option<Vec<f64>> = match &value {
            Value::Array(amounts) => amounts.iter().map(Value::as_f64).collect(),
            one => one.as_f64().map(|one| vec![one; 3]),
        };
        let Some(amounts) =
            amounts.filter(|amounts| matches!(amounts.len(), 3 | 4) && amounts.iter().all(|a| *a >= 0.0))
        else {
            return self.node.refuse("color_jitter", &value, "expected a number, or three or four");
        };
        if amounts.iter().all(|amount| *amount == 0.0) {
            return;
        }
        let difference =
            "timm's works on Pillow images, feedline's by torchvision's formulas for tensors: a level or two apart";
        if self.approximate {
            self.node.notice("color_jitter", &value, format!("approximated: {difference}"));
        } else {
            self.node.refuse("color_jitter", &value, format!("{difference}; --approximate takes it as near enough"));
        }
        let factor = |amount: f64| if amount > 0.0 { vec![(1.0 - amount).max(0.0), 1.0 + amount] } else { Vec::new() };
        let turn = amounts.get(3).copied().filter(|amount| *amount > 0.0);
        let op = v1::ColorJitter {
            brightness: factor(amounts[0]),
            contrast: factor(amounts[1]),
            saturation: factor(amounts[2]),
            hue: turn.map_or_else(Vec::new, |turn| vec![-turn, turn]),
            p,
        };
        self.push("ColorJitter(color_jitter)", Op::ColorJitter(op));
    }

    /// Random erasing, which comes after the normalisation.
    fn erasing(&mut self) {
        let p = self.node.number("re_prob").unwrap_or(0.0);
        let mode = match self.node.text("re_mode").unwrap_or_else(|| "const".into()).as_str() {
            "const" => v1::EraseMode::Const,
            "rand" => v1::EraseMode::Rand,
            "pixel" => v1::EraseMode::Pixel,
            other => {
                self.node.refuse("re_mode", other, "expected const, rand or pixel");
                v1::EraseMode::Unspecified
            }
        };
        let most = self.node.whole("re_count").unwrap_or(1);
        self.node.only("re_num_splits", &[json!(0)], "parts of a batch that stay whole are not supported");
        if p > 0.0 {
            let op = v1::RandomErasing {
                scale: vec![0.02, 1.0 / 3.0],
                ratio: vec![0.3, 1.0 / 0.3],
                mode: mode.into(),
                count: vec![1, most],
                p: Some(p),
                ..Default::default()
            };
            self.push("RandomErasing(re_prob, re_mode, re_count)", Op::RandomErasing(op));
        }
    }
}

/// What timm reads of a model's configuration when it makes transforms.
const CONFIGURATION: [&str; 6] = ["input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode"];

/// What `config.json` says beside it.
const ABOUT_THE_MODEL: [&str; 7] =
    ["architecture", "num_classes", "num_features", "global_pool", "model_args", "label_names", "label_descriptions"];

/// Arguments that only training reads, but for `interpolation`.
const TRAINING: [&str; 18] = [
    "no_aug",
    "train_crop_mode",
    "scale",
    "ratio",
    "hflip",
    "vflip",
    "color_jitter",
    "color_jitter_prob",
    "force_color_jitter",
    "grayscale_prob",
    "gaussian_blur_prob",
    "auto_augment",
    "re_prob",
    "re_mode",
    "re_count",
    "re_num_splits",
    "re_split",
    "aug_splits",
];
