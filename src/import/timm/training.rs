use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::{Reader, Sides, policy};
use crate::import::step::Step;

impl Reader<'_> {
    pub(super) fn training(&mut self, size: Sides, mean: &[f64]) {
        for name in ["crop_pct", "crop_mode", "crop_border_pixels"] {
            if let Some(value) = self.node.take(name) {
                self.node.notice(name, &value, "not read: only evaluation does");
            }
        }
        self.node.only("aug_splits", &[json!(0)], "parts of a batch that stay whole are not supported");
        self.node.only("re_split", &[json!(false)], "parts of a batch that stay whole are not supported");
        let text = self.node.text("interpolation").unwrap_or_else(|| "bilinear".into());
        if self.node.flag("no_aug").unwrap_or(false) {
            return self.plain(size, &text);
        }
        self.crop(size, &text);
        let horizontal = self.node.number("hflip").unwrap_or(0.5);
        let vertical = self.node.number("vflip").unwrap_or(0.0);
        if horizontal > 0.0 {
            self.push("RandomHorizontalFlip(hflip)", Op::HorizontalFlip(v1::HorizontalFlip { p: Some(horizontal) }));
        }
        if vertical > 0.0 {
            self.push("RandomVerticalFlip(vflip)", Op::VerticalFlip(v1::VerticalFlip { p: Some(vertical) }));
        }
        let policy = self.policy(&text, mean);
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

    /// A training without augmentation: the image is resized, both sides if two are given, and the middle cut out.
    fn plain(&mut self, Sides { sides: [height, width], one }: Sides, interpolation: &str) {
        let unread: Vec<&str> = AUGMENTATION.into_iter().filter(|name| self.node.take(name).is_some()).collect();
        if !unread.is_empty() {
            self.node.notice("no_aug", unread.join(", "), "not read: there is no augmentation");
        }
        let filter = self.filter(if interpolation == "random" { "bilinear" } else { interpolation }).into();
        let resize = match one {
            true => v1::Resize { shortest_edge: height, filter, ..Default::default() },
            false => v1::Resize { height, width, filter, ..Default::default() },
        };
        self.push("Resize, by no_aug", Op::Resize(resize));
        self.push("CenterCrop", Op::CenterCrop(v1::CenterCrop { height, width, ..Default::default() }));
    }

    fn crop(&mut self, Sides { sides: [height, width], .. }: Sides, interpolation: &str) {
        self.node.only("train_crop_mode", &[json!("rrc")], "expected rrc, a random resized crop");
        let scale = self.node.range("scale", [0.08, 1.0]);
        let ratio = self.node.range("ratio", [0.75, 4.0 / 3.0]);
        let crop = |filter: v1::Filter| {
            let (scale, ratio, filter) = (scale.clone(), ratio.clone(), filter.into());
            Op::RandomResizedCrop(v1::RandomResizedCrop { height, width, scale, ratio, filter, antialias: None })
        };
        let place = "RandomResizedCropAndInterpolation(scale, ratio)";
        if interpolation == "random" {
            let either = [v1::Filter::Bilinear, v1::Filter::Bicubic].map(|filter| Step::new(place, crop(filter)));
            let place = format!("{place}, interpolation random");
            self.steps.push(Step::group(&place, Op::OneOf(v1::OneOf::default()), either.into()));
        } else {
            let filter = self.filter(interpolation);
            self.push(place, crop(filter));
        }
    }

    /// `auto_augment`.
    fn policy(&mut self, interpolation: &str, mean: &[f64]) -> Option<String> {
        let written = self.node.text("auto_augment").filter(|policy| !policy.is_empty())?;
        let (policy, passed) = policy::effective(&written);
        if !passed.is_empty() {
            let found = passed.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>().join(", ");
            self.node.notice("auto_augment", found, "dropped: timm passes over it");
        }
        let filter = match interpolation {
            "random" => v1::Filter::Unspecified,
            "bilinear" => v1::Filter::Bilinear,
            "bicubic" => v1::Filter::Bicubic,
            other => {
                // Where it is none at all, the crop has said so.
                if matches!(other, "nearest" | "box" | "lanczos") {
                    let why = "the ops of a policy move pixels by bilinear or bicubic; expected one of them, or random";
                    self.node.refuse("interpolation", other, why);
                }
                v1::Filter::Unspecified
            }
        };
        // Python rounds halves to even.
        let fill = mean.iter().map(|mean| (255.0 * mean).round_ties_even().min(255.0)).collect();
        let op = v1::TimmAugment { policy, filter: filter.into(), fill, ..Default::default() };
        self.push("timm.auto_augment", Op::TimmAugment(op));
        Some(written)
    }

    /// `color_jitter`, which a policy switches off.
    fn jitter(&mut self, policy: Option<&str>) {
        let forced = self.node.flag("force_color_jitter").unwrap_or(false);
        let p = self.node.number("color_jitter_prob");
        // Null is none, and absent the default.
        let none = self.node.peek("color_jitter").is_some_and(Value::is_null);
        let explicit = self.node.take("color_jitter");
        if none || policy.is_some_and(|policy| !forced && !policy.contains("3a")) {
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
        let factor = |amount: f64| if amount > 0.0 { vec![(1.0 - amount).max(0.0), 1.0 + amount] } else { Vec::new() };
        let turn = amounts.get(3).copied().filter(|amount| *amount > 0.0);
        let op = v1::ColorJitter {
            brightness: factor(amounts[0]),
            contrast: factor(amounts[1]),
            saturation: factor(amounts[2]),
            hue: turn.map_or_else(Vec::new, |turn| vec![-turn, turn]),
            p,
            method: v1::ColorJitterMethod::Pillow.into(),
        };
        self.push("ColorJitter(color_jitter)", Op::ColorJitter(op));
    }

    /// Random erasing, which comes after the normalisation.
    pub(super) fn erasing(&mut self) {
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

/// What a training without augmentation does not ask for.
const AUGMENTATION: [&str; 16] = [
    "auto_augment",
    "color_jitter",
    "color_jitter_prob",
    "force_color_jitter",
    "gaussian_blur_prob",
    "grayscale_prob",
    "hflip",
    "ratio",
    "re_count",
    "re_mode",
    "re_num_splits",
    "re_prob",
    "scale",
    "train_crop_mode",
    "vflip",
    "re_split",
];
