use std::collections::BTreeMap;

use feedline_proto::v1;
use serde_json::{Value, json};

use super::Importer;
use crate::import::node::{Node, shortened};
use crate::sample::BoxFormat;

impl Importer<'_> {
    /// Takes `bbox_params` and `keypoint_params` of a Compose out of its arguments and into the loader spec. Of containers in
    /// containers only the outermost is asked.
    pub(super) fn annotations(&mut self, values: &mut BTreeMap<String, Value>, path: &str, root: bool) {
        for name in ["bbox_params", "keypoint_params"] {
            let Some(value) = values.remove(name).filter(|value| !value.is_null()) else { continue };
            let place = format!("{path}.{name}");
            if !root {
                let why = "dropped: albumentations asks the outermost Compose only";
                self.report.notice(&place, shortened(&value), why);
                continue;
            }
            let Value::Object(params) = value else {
                self.report.unsupported(&place, shortened(&value), "expected an object");
                continue;
            };
            let mut node = Node::new(&place, params.into_iter().collect(), self.report);
            if name == "bbox_params" {
                let rules = boxes(&mut node);
                if node.finish() {
                    self.spec.targets.push(v1::Target::Boxes.into());
                    self.spec.box_rules = rules;
                }
            } else {
                let rules = keypoints(&mut node);
                if node.finish() {
                    self.spec.targets.push(v1::Target::Keypoints.into());
                    self.spec.keypoint_rules = rules;
                }
            }
        }
    }
}

/// `BboxParams`; none of the rules is said where all are their defaults.
fn boxes(node: &mut Node<'_>) -> Option<v1::BoxRules> {
    // The dataset says in which format its boxes are, and a client in which it wants them.
    let format = node.text("format");
    match format.as_deref().map(BoxFormat::named) {
        None => node.refuse("format", "missing", "expected coco, pascal_voc, albumentations or yolo"),
        Some(None) => {
            let found = format.unwrap_or_default();
            node.refuse("format", found, "expected coco, pascal_voc, albumentations or yolo");
        }
        Some(Some(BoxFormat::PascalVoc)) => {}
        Some(Some(_)) => {
            let found = format.unwrap_or_default();
            let name = if found == "albumentations" { "normalized" } else { &found };
            let why = format!(
                "boxes come so with --box-format {name} (box_format of the delivery), whatever the dataset has"
            );
            node.notice("format", &found, why);
        }
    }
    labels(node, "box_label");
    let mut number = |name: &str| node.number(name).unwrap_or(0.0);
    let [min_area, min_visibility] = ["min_area", "min_visibility"].map(&mut number);
    let [min_width, min_height] = ["min_width", "min_height"].map(&mut number);
    for (name, value, most) in [
        ("min_area", min_area, 1e12),
        ("min_visibility", min_visibility, 1.0),
        ("min_width", min_width, 1e6),
        ("min_height", min_height, 1e6),
    ] {
        if !(0.0..=most).contains(&value) {
            node.refuse(name, value, format!("expected a number from 0 to {most}"));
        }
    }
    let clip = node.flag("clip").unwrap_or(false);
    let why = "feedline filters after every op; at the end alone is not supported";
    node.only("check_each_transform", &[json!(true)], why);
    let why = "feedline refuses a dataset with boxes that have no area";
    node.only("filter_invalid_bboxes", &[json!(false)], why);
    node.only("max_accept_ratio", &[], "boxes are not filtered by their shape");
    let rules = v1::BoxRules { min_area, min_visibility, min_width, min_height, clip };
    (rules != v1::BoxRules::default()).then_some(rules)
}

/// `KeypointParams`.
fn keypoints(node: &mut Node<'_>) -> Option<v1::KeypointRules> {
    let format = node.text("format").unwrap_or_default();
    // An angle is all that this is about.
    node.flag("angle_in_degrees");
    match &*format {
        "xy" => {}
        "yx" => node.refuse("format", "yx", "keypoints come as x, y and visibility"),
        "xya" | "xys" | "xyas" | "xysa" | "xyz" => {
            node.refuse("format", &format, "keypoints have x, y and visibility: no angle, scale or depth");
        }
        other => node.refuse("format", other, "expected xy"),
    }
    labels(node, "keypoint_id");
    let remove_invisible = node.flag("remove_invisible").unwrap_or(true);
    // Where none is removed, it does not matter when.
    let when: &[Value] = if remove_invisible { &[json!(true)] } else { &[json!(true), json!(false)] };
    node.only("check_each_transform", when, "feedline filters after every op; at the end alone is not supported");
    remove_invisible.then(|| v1::KeypointRules { remove_invisible, ..Default::default() })
}

/// `label_fields`: one beside each annotation, which is a tensor of its own here.
fn labels(node: &mut Node<'_>, tensor: &str) {
    let Some(value) = node.take("label_fields") else { return };
    let names: Option<Vec<&str>> = value.as_array().and_then(|names| names.iter().map(Value::as_str).collect());
    match names.as_deref() {
        None => node.refuse("label_fields", shortened(&value), "expected a list of names"),
        Some([]) => {}
        Some([name]) => {
            node.notice("label_fields", name, format!("what the dataset says of each is the tensor {tensor}"))
        }
        Some(_) => node.refuse("label_fields", shortened(&value), "a dataset has one label for each"),
    }
}
