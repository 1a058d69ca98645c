use std::collections::BTreeMap;

use feedline_proto::v1::{self, op::Op};
use serde_json::{Value, json};

use super::node::Node;
use super::report::Report;
use super::step::Step;

/// What a processor does with a `size` that is one number, and with the rest.
#[derive(Clone, Copy, PartialEq)]
enum Processor {
    /// Height and width.
    Square,
    /// The shorter edge.
    ShortestEdge,
    /// The shorter edge by `crop_pct` and a crop below 384, both sides from there on.
    ConvNext,
}

/// Processors that are known, by name without `ImageProcessor`, `FeatureExtractor` and what follows.
const PROCESSORS: [(&str, Processor); 10] = [
    ("Beit", Processor::Square),
    ("Bit", Processor::ShortestEdge),
    ("CLIP", Processor::ShortestEdge),
    ("ConvNext", Processor::ConvNext),
    ("DeiT", Processor::Square),
    ("MobileNetV1", Processor::ShortestEdge),
    ("MobileNetV2", Processor::ShortestEdge),
    ("Siglip", Processor::Square),
    ("Siglip2", Processor::Square),
    ("ViT", Processor::Square),
];

/// The steps of a `preprocessor_config.json`, and who wrote it.
pub(super) fn import(document: Value, report: &mut Report) -> Result<(String, Vec<Step>), String> {
    let Value::Object(document) = document else { return Err("not an object".into()) };
    let mut values: BTreeMap<String, Value> = document.into_iter().collect();
    let names = ["image_processor_type", "feature_extractor_type", "processor_class"];
    let [image, feature, class] =
        names.map(|name| values.remove(name).and_then(|value| value.as_str().map(ToOwned::to_owned)));
    let Some(name) = image.or(feature) else {
        return Err("no image_processor_type, so this is not a preprocessor_config.json of an image processor".into());
    };
    if let Some(class) = class {
        report.notice("processor_class", class, "not read: what it does beside images is not of feedline");
    }
    let base = name.split("ImageProcessor").next().and_then(|name| name.split("FeatureExtractor").next());
    let known = PROCESSORS.iter().find(|(known, _)| Some(*known) == base);
    let Some((_, processor)) = known else {
        let names = PROCESSORS.map(|(name, _)| name).join(", ");
        report.unsupported("image_processor_type", &name, format!("known are those of {names}"));
        return Ok((format!("transformers, {name}"), Vec::new()));
    };
    let mut reader = Reader { node: Node::new("preprocessor", values, report), steps: Vec::new(), least: None };
    reader.constant();
    reader.resize(*processor);
    reader.crop();
    reader.convert();
    let Reader { node, steps, .. } = reader;
    // Half of such a pipeline is none.
    Ok((format!("transformers, {name}"), if node.finish() { steps } else { Vec::new() }))
}

struct Reader<'r> {
    node: Node<'r>,
    steps: Vec<Step>,
    /// Height and width that the resizing leaves at least; none if it was refused.
    least: Option<(u32, u32)>,
}

impl Reader<'_> {
    fn push(&mut self, place: &str, op: Op) {
        self.steps.push(Step::new(place, op));
    }

    /// What says nothing about pixels, and flags that must not be set.
    fn constant(&mut self) {
        // Images are decoded to RGB whether it is set or not.
        self.node.only("do_convert_rgb", &[json!(true), json!(false)], "expected true or false");
        for name in [
            "do_pad",
            "do_flip_channel_order",
            "do_reduce_labels",
            "reduce_labels",
            "do_thumbnail",
            "do_align_long_axis",
            "rescale_offset",
            "do_rand_resize",
            "do_resize_and_center_crop",
        ] {
            self.node.only(name, &[json!(false)], "not supported");
        }
        for name in [
            "data_format",
            "input_data_format",
            "return_tensors",
            "device",
            "use_fast",
            "model_input_names",
            "disable_grouping",
            "default_to_square",
            "use_square_size",
            "pad_size",
        ] {
            self.node.take(name);
        }
        let unread: Vec<String> = ["_valid_processor_keys", "auto_map", "transformers_version", "_processor_class"]
            .into_iter()
            .filter(|name| self.node.take(name).is_some())
            .map(ToOwned::to_owned)
            .collect();
        if !unread.is_empty() {
            self.node.notice("", unread.join(", "), "not read: nothing about images");
        }
    }

    /// A flag that must be there: what a processor takes for an absent one differs between processors and versions.
    fn flag(&mut self, name: &str) -> bool {
        if !self.node.has(name) {
            self.node.refuse(name, "missing", "expected true or false: defaults differ between processors");
        }
        self.node.flag(name).unwrap_or(false)
    }

    fn filter(&mut self) -> i32 {
        if !self.node.has("resample") {
            self.node.refuse("resample", "missing", "expected the number of a Pillow filter");
        }
        let filter = match self.node.whole("resample") {
            Some(0) => v1::Filter::NearestExact,
            Some(1) => v1::Filter::Lanczos3,
            Some(2) => v1::Filter::Bilinear,
            Some(3) => v1::Filter::Bicubic,
            Some(4) => v1::Filter::Box,
            Some(other) => {
                self.node.refuse(
                    "resample",
                    other,
                    "expected 0 (nearest), 1 (Lanczos), 2 (bilinear), 3 (bicubic) or 4 (box)",
                );
                v1::Filter::Unspecified
            }
            None => v1::Filter::Unspecified,
        };
        filter.into()
    }

    fn resize(&mut self, processor: Processor) {
        let share = self.node.number("crop_pct");
        if share.is_some() && processor != Processor::ConvNext {
            self.node.refuse("crop_pct", share.unwrap_or_default(), "only ConvNext has one");
        }
        if !self.flag("do_resize") {
            for name in ["size", "resample"] {
                self.node.take(name);
            }
            self.least = Some((0, 0));
            return;
        }
        let filter = self.filter();
        let Some(size) = self.size("size", processor) else { return };
        self.least = Some(match size {
            Sides::Edge(edge) => (edge, edge),
            Sides::Both(height, width) => (height, width),
        });
        let resize = match (size, processor) {
            (Sides::Edge(edge), Processor::ConvNext) if edge < 384 => {
                let share = share.filter(|share| (0.01..=1.0).contains(share)).unwrap_or(224.0 / 256.0);
                let shortest_edge = (f64::from(edge) / share) as u32;
                let resize = v1::Resize { shortest_edge, filter, ..Default::default() };
                self.push("do_resize: size / crop_pct", Op::Resize(resize));
                return self.center(edge, edge, "do_resize: size");
            }
            (Sides::Edge(edge), Processor::ConvNext) => {
                v1::Resize { height: edge, width: edge, filter, ..Default::default() }
            }
            (Sides::Edge(edge), _) => v1::Resize { shortest_edge: edge, filter, ..Default::default() },
            (Sides::Both(height, width), _) => v1::Resize { height, width, filter, ..Default::default() },
        };
        self.push("do_resize: size, resample", Op::Resize(resize));
    }

    fn crop(&mut self) {
        // Processors that do not crop have no such flag.
        if !self.node.flag("do_center_crop").unwrap_or(false) {
            self.node.take("crop_size");
            return;
        }
        if let Some(Sides::Both(height, width)) = self.size("crop_size", Processor::Square) {
            if self.least.is_some_and(|(high, wide)| height > high || width > wide) {
                let why = "larger than what comes in, or than what may: it would be padded with black, which is not supported";
                return self.node.refuse("crop_size", format!("{height} x {width}"), why);
            }
            self.center(height, width, "do_center_crop: crop_size");
        }
    }

    fn center(&mut self, height: u32, width: u32, place: &str) {
        self.push(place, Op::CenterCrop(v1::CenterCrop { height, width, centre: v1::Centre::Floor.into() }));
        let why =
            "half an odd margin is rounded down, as the processors on numpy do; those on torchvision round some up";
        self.node.notice("do_center_crop", "the middle", why);
    }

    fn convert(&mut self) {
        let rescale = self.node.flag("do_rescale").unwrap_or(true);
        let factor = self.node.number("rescale_factor").unwrap_or(1.0 / 255.0);
        let normalize = self.flag("do_normalize");
        let (mean, std) = (self.node.take("image_mean"), self.node.take("image_std"));
        if rescale || normalize {
            let divisor = if rescale { 1.0 / factor } else { 1.0 };
            // 1 / 255 as it is written is a little more or less.
            let whole = divisor.round();
            let divisor = if (divisor - whole).abs() < 1e-9 * whole { whole } else { divisor };
            if !(divisor.is_finite() && divisor > 0.0) {
                return self.node.refuse("rescale_factor", factor, "expected a number above 0");
            }
            self.push("do_rescale: rescale_factor", Op::ToFloat(v1::ToFloat { divisor: Some(divisor) }));
        }
        if normalize {
            let mut channels = |name: &str, value: Option<Value>| {
                let numbers: Option<Vec<f64>> = match &value {
                    Some(Value::Array(values)) => values.iter().map(Value::as_f64).collect(),
                    Some(one) => one.as_f64().map(|one| vec![one; 3]),
                    None => None,
                };
                let numbers = numbers.filter(|numbers| numbers.len() == 3);
                if numbers.is_none() {
                    let found = value.map_or_else(|| "missing".to_owned(), |value| value.to_string());
                    self.node.refuse(name, found, "expected three numbers");
                }
                numbers.unwrap_or_default()
            };
            let (mean, std) = (channels("image_mean", mean), channels("image_std", std));
            self.push("do_normalize: image_mean, image_std", Op::Normalize(v1::Normalize { mean, std }));
        }
    }

    /// A size: `{height, width}`, `{shortest_edge}`, or one number.
    fn size(&mut self, name: &str, processor: Processor) -> Option<Sides> {
        let value = self.node.take(name);
        let found = value.as_ref().map_or_else(|| "missing".to_owned(), ToString::to_string);
        let side = |value: &Value| value.as_u64().and_then(|side| u32::try_from(side).ok());
        let sides = match value {
            Some(Value::Object(sides)) => {
                let named = |names: &[&str]| -> Option<Vec<u32>> {
                    (sides.len() == names.len()).then(|| names.iter().map(|name| side(sides.get(*name)?)).collect())?
                };
                match (named(&["height", "width"]).as_deref(), named(&["shortest_edge"]).as_deref()) {
                    (Some([height, width]), _) => Some(Sides::Both(*height, *width)),
                    (_, Some([edge])) => Some(Sides::Edge(*edge)),
                    _ => None,
                }
            }
            Some(one) => side(&one).map(|one| match processor {
                Processor::Square => Sides::Both(one, one),
                _ => Sides::Edge(one),
            }),
            None => None,
        };
        if sides.is_none() {
            self.node.refuse(name, found, "expected {height, width}, {shortest_edge} or a number of pixels");
        }
        sides
    }
}

#[derive(Clone, Copy)]
enum Sides {
    /// Height and width.
    Both(u32, u32),
    /// The shorter edge.
    Edge(u32),
}
