use std::collections::BTreeMap;

use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::node::Node;
use super::report::Report;
use super::step::Step;

/// Arguments of the training script.
mod args;

/// Mixing of rows.
mod mixing;

/// The grammar of policies.
mod policy;

/// Transforms of a training.
mod training;

/// The steps of a model's configuration, of arguments of `create_transform` or of a training, and who wrote it.
pub(super) fn import(
    document: Value,
    model: Option<Value>,
    report: &mut Report,
    spec: &mut v1::LoaderSpec,
) -> Result<(String, Vec<Step>), String> {
    let Value::Object(document) = document else { return Err("not an object".into()) };
    let mut values: BTreeMap<String, Value> = document.into_iter().collect();
    let run = args::are_of_a_run(&values);
    let mut unread = Vec::new();
    let bare = !values.contains_key("pretrained_cfg") && ONLY_OF_MODELS.iter().any(|name| values.contains_key(*name));
    let mut producer = values.get("architecture").and_then(Value::as_str).unwrap_or("create_transform").to_owned();
    let config = match model {
        Some(model) => Some(configuration(model)?),
        None if bare => Some(Value::Object(std::mem::take(&mut values).into_iter().collect())),
        None => values.remove("pretrained_cfg"),
    };
    let mut model = BTreeMap::new();
    if let Some(Value::Object(config)) = config {
        // Of a model's configuration timm reads these; the rest is about the model.
        let (read, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            config.into_iter().partition(|(name, _)| CONFIGURATION.contains(&&**name));
        unread.extend(rest.into_keys());
        model = read;
    }
    values.retain(|name, _| {
        let kept = run || !ABOUT_THE_MODEL.contains(&&**name);
        unread.extend((!kept).then(|| name.clone()));
        kept
    });
    if !unread.is_empty() {
        report.notice("pretrained_cfg", unread.join(", "), "not read: about the model, not about its images");
    }
    if run {
        producer = "arguments of a training run".into();
        args::translate(&mut values, &model, report, spec);
    } else {
        for (name, value) in model {
            values.entry(name).or_insert(value);
        }
    }
    if !run && !["input_size", "mean", "crop_pct", "is_training"].iter().any(|name| values.contains_key(*name)) {
        return Err("neither a model configuration of timm nor arguments of a training or of its create_transform: no input_size, \
                    mean, crop_pct, is_training or aa"
            .into());
    }
    let (unsupported, noticed) = (report.unsupported.len(), report.notices.len());
    let mut node = Node::new("timm", values, report);
    let training = node.flag("is_training").unwrap_or(false);
    let mut reader = Reader { node, steps: Vec::new() };
    reader.constant();
    let size = reader.size();
    let (mean, std) = reader.statistics();
    if training {
        reader.training(size, &mean)
    } else {
        reader.evaluation(size.sides)
    }
    reader.push("ToTensor", Op::ToFloat(v1::ToFloat { divisor: Some(255.0) }));
    reader.push("Normalize(mean, std)", Op::Normalize(v1::Normalize { mean, std }));
    if training {
        reader.erasing();
    }
    let Reader { node, mut steps } = reader;
    let whole = node.finish();
    if run {
        // By the names that the file has.
        let findings = report.unsupported[unsupported..].iter_mut().chain(&mut report.notices[noticed..]);
        findings.for_each(|finding| finding.place = args::place(&finding.place));
        steps.iter_mut().for_each(|step| step.place = args::place(&step.place));
    }
    // Half of such a pipeline is none.
    Ok((format!("timm, {producer}"), if whole { steps } else { Vec::new() }))
}

/// The `pretrained_cfg` of a model's `config.json`, or the whole of it if it is one.
fn configuration(model: Value) -> Result<Value, String> {
    let Value::Object(mut model) = model else { return Err("the model's configuration: not an object".into()) };
    let own = model.remove("pretrained_cfg").unwrap_or(Value::Object(model));
    match own.get("input_size").or_else(|| own.get("mean")) {
        Some(_) => Ok(own),
        None => Err("the model's configuration: no input_size and no mean".into()),
    }
}

/// Height and width of what a model gets.
#[derive(Clone, Copy)]
struct Sides {
    sides: [u32; 2],
    /// One number stands for both, which is another thing to timm's `Resize`.
    one: bool,
}

struct Reader<'r> {
    node: Node<'r>,
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

    fn size(&mut self) -> Sides {
        let Some(value) = self.node.take("input_size") else { return Sides { sides: [224; 2], one: true } };
        let side = |side: &Value| u32::try_from(side.as_u64()?).ok();
        if let Some(one) = side(&value) {
            return Sides { sides: [one; 2], one: true };
        }
        let sides: Option<Vec<u32>> = value.as_array().and_then(|sides| sides.iter().map(side).collect());
        let sides = match sides.as_deref() {
            Some([3, height, width] | [height, width]) => [*height, *width],
            _ => {
                self.node.refuse("input_size", &value, "expected [3, height, width]");
                [224; 2]
            }
        };
        Sides { sides, one: false }
    }

    /// Mean and deviation of each channel.
    fn statistics(&mut self) -> (Vec<f64>, Vec<f64>) {
        let mut numbers = |name: &str, default: [f64; 3]| self.node.numbers(name).unwrap_or_else(|| default.to_vec());
        (numbers("mean", [0.485, 0.456, 0.406]), numbers("std", [0.229, 0.224, 0.225]))
    }

    fn interpolation(&mut self) -> i32 {
        let text = self.node.text("interpolation").unwrap_or_else(|| "bilinear".into());
        self.filter(&text).into()
    }

    fn filter(&mut self, text: &str) -> v1::Filter {
        match text {
            "nearest" => v1::Filter::NearestExact,
            "bilinear" => v1::Filter::Bilinear,
            "bicubic" => v1::Filter::Bicubic,
            "box" => v1::Filter::Box,
            "lanczos" => v1::Filter::Lanczos3,
            "random" => {
                self.node.refuse("interpolation", "random", "only training draws it");
                v1::Filter::Unspecified
            }
            other => {
                self.node.refuse("interpolation", other, "expected nearest, bilinear, bicubic, box or lanczos");
                v1::Filter::Unspecified
            }
        }
    }

    fn evaluation(&mut self, [height, width]: [u32; 2]) {
        self.not_training();
        let filter = self.interpolation();
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
}

/// What timm reads of a model's configuration when it makes transforms.
const CONFIGURATION: [&str; 6] = ["input_size", "interpolation", "mean", "std", "crop_pct", "crop_mode"];

/// What `config.json` says beside it.
const ABOUT_THE_MODEL: [&str; 7] =
    ["architecture", "num_classes", "num_features", "global_pool", "model_args", "label_names", "label_descriptions"];

/// What only a model's configuration has, so that a file with one of them is one.
const ONLY_OF_MODELS: [&str; 5] = ["classifier", "first_conv", "hf_hub_id", "pool_size", "url"];

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
