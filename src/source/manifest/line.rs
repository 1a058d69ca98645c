use serde_json::{Map, Value};

use super::labels::Labels;
use crate::sample::{AnnotatedBox, Annotations, BoxFormat, Keypoint, VISIBLE};

/// What a line has that it should not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) found: String,
    pub(super) expected: String,
}

impl Wrong {
    pub(super) fn new(field: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Wrong { field: field.into(), found: found.into(), expected: expected.into() }
    }

    pub(super) fn in_field(self, field: &str) -> Self {
        Wrong { field: field.to_owned(), ..self }
    }
}

/// Reads lines, one after another: what headers said, and the names that were met.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) classes: Labels,
    pub(super) box_classes: Labels,
    pub(super) keypoint_names: Vec<String>,
    box_format: Option<BoxFormat>,
}

/// A sample as its line says it.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) file: String,
    /// In the order in which names were met.
    pub(super) label: i64,
    pub(super) annotations: Annotations,
    pub(super) masks: Vec<String>,
    /// Whether there is a list of boxes, perhaps an empty one.
    pub(super) has_boxes: bool,
    pub(super) has_keypoints: bool,
}

impl Lines {
    /// Begins another manifest, which has a header of its own.
    pub(super) fn begin(&mut self) {
        self.box_format = None;
    }

    /// Reads a header; false if `value` is none.
    pub(super) fn header(&mut self, value: &Value) -> Result<bool, Wrong> {
        let Some(object) = value.as_object().filter(|object| object.contains_key("manifest")) else { return Ok(false) };
        only(object, "", &["manifest", "box_format", "classes", "box_classes", "keypoint_names"])?;
        if object["manifest"] != 1 {
            return Err(Wrong::new("manifest", shown(&object["manifest"]), "1, the version of the format"));
        }
        if let Some(value) = object.get("box_format") {
            self.box_format = Some(format(value)?);
        }
        if let Some(value) = object.get("classes") {
            self.classes.give("classes", names("classes", value)?)?;
        }
        if let Some(value) = object.get("box_classes") {
            self.box_classes.give("box_classes", names("box_classes", value)?)?;
        }
        if let Some(value) = object.get("keypoint_names") {
            let names = names("keypoint_names", value)?;
            if !self.keypoint_names.is_empty() && self.keypoint_names != names {
                let found = "another list than in the manifest of an earlier split";
                return Err(Wrong::new("keypoint_names", found, "the same list"));
            }
            self.keypoint_names = names;
        }
        Ok(true)
    }

    /// Reads the line of a sample.
    pub(super) fn sample(&mut self, value: &Value) -> Result<Parsed, Wrong> {
        let object = value.as_object().ok_or_else(|| Wrong::new("the line", shown(value), "a JSON object"))?;
        only(object, "", &["file", "label", "boxes", "box_format", "mask", "keypoints", "keypoint_ids"])?;
        let file = object.get("file").and_then(Value::as_str).ok_or_else(|| {
            let found = object.get("file").map_or_else(|| "missing".to_owned(), shown);
            Wrong::new("file", found, "the path of an image")
        })?;
        let label = present(object, "label").map_or(Ok(-1), |value| self.classes.label("label", value))?;
        let own_format = present(object, "box_format").map(format).transpose()?;
        let boxes = present(object, "boxes");
        let boxes = boxes.map(|value| self.boxes(value, own_format.or(self.box_format))).transpose()?;
        let keypoints = self.keypoints(object)?;
        Ok(Parsed {
            file: file.to_owned(),
            label,
            masks: present(object, "mask").map_or(Ok(Vec::new()), masks)?,
            has_boxes: boxes.is_some(),
            has_keypoints: keypoints.is_some(),
            annotations: Annotations { boxes: boxes.unwrap_or_default(), keypoints: keypoints.unwrap_or_default() },
        })
    }

    fn boxes(&mut self, value: &Value, format: Option<BoxFormat>) -> Result<Vec<AnnotatedBox>, Wrong> {
        let list = list("boxes", value, "a list of objects such as {\"box\": [1, 2, 3, 4], \"label\": \"cat\"}")?;
        if list.is_empty() {
            return Ok(Vec::new());
        }
        let format = format.ok_or_else(|| {
            let expected = format!("{} (here or in the manifest's header)", formats());
            Wrong::new("box_format", "missing", expected)
        })?;
        let mut boxes = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let at = format!("boxes[{index}]");
            let object =
                value.as_object().ok_or_else(|| Wrong::new(&at, shown(value), "an object with box and label"))?;
            only(object, &at, &["box", "label"])?;
            let field = format!("{at}.box");
            let expected = "a list of 4 numbers";
            let value = object.get("box").ok_or_else(|| Wrong::new(&field, "missing", expected))?;
            let numbers: [f64; 4] =
                numbers(&field, value, expected)?.try_into().map_err(|_| Wrong::new(&field, shown(value), expected))?;
            let [x_min, y_min, x_max, y_max] = format.to_corners(numbers);
            if x_min >= x_max || y_min >= y_max {
                let expected = match format {
                    BoxFormat::PascalVoc | BoxFormat::Normalized => "x_min below x_max and y_min below y_max",
                    BoxFormat::Coco | BoxFormat::Yolo => "a width and a height above 0",
                };
                return Err(Wrong::new(field, shown(value), expected));
            }
            let label = present(object, "label");
            let label = label.map_or(Ok(-1), |value| self.box_classes.label(&format!("{at}.label"), value))?;
            boxes.push(AnnotatedBox { numbers, format, label });
        }
        Ok(boxes)
    }

    fn keypoints(&self, object: &Map<String, Value>) -> Result<Option<Vec<Keypoint>>, Wrong> {
        let (value, ids) = (present(object, "keypoints"), present(object, "keypoint_ids"));
        let Some(value) = value else {
            return ids.map_or(Ok(None), |ids| {
                Err(Wrong::new("keypoint_ids", shown(ids), "none, since there are no keypoints"))
            });
        };
        let points = list("keypoints", value, "a list of [x, y] or [x, y, visibility]")?;
        let ids = match ids {
            Some(ids) => self.ids(ids, points.len())?,
            None => self.ids_by_place(points.len())?,
        };
        let point = |(index, (value, id)): (usize, (&Value, u32))| {
            let (field, expected) = (format!("keypoints[{index}]"), "[x, y] or [x, y, visibility]");
            let (x, y, visibility) = match numbers(&field, value, expected)?[..] {
                [x, y] => (x, y, VISIBLE),
                [x, y, visibility] if (0.0..=f64::from(VISIBLE)).contains(&visibility) => (x, y, visibility as f32),
                [_, _, _] => return Err(Wrong::new(field, shown(value), "a visibility from 0 to 2")),
                _ => return Err(Wrong::new(field, shown(value), expected)),
            };
            Ok(Keypoint { x, y, id, visibility })
        };
        points.iter().zip(ids).enumerate().map(point).collect::<Result<_, _>>().map(Some)
    }

    /// Ids of a list that has one for each keypoint.
    fn ids(&self, value: &Value, count: usize) -> Result<Vec<u32>, Wrong> {
        let ids = list("keypoint_ids", value, "a list of names or numbers")?;
        if ids.len() != count {
            return Err(Wrong::new(
                "keypoint_ids",
                format!("a list of {}", ids.len()),
                format!("one id for each of {count} keypoints"),
            ));
        }
        let names = &self.keypoint_names;
        let id = |(index, value): (usize, &Value)| {
            let id = match value {
                Value::String(name) => {
                    names.iter().position(|known| known == name).and_then(|at| u32::try_from(at).ok())
                }
                _ => value.as_u64().and_then(|id| u32::try_from(id).ok()),
            };
            let id = id.filter(|id| names.is_empty() || (*id as usize) < names.len());
            let expected = if names.is_empty() {
                "a whole number; names need a header with keypoint_names"
            } else {
                "one of the header's keypoint_names or its place"
            };
            id.ok_or_else(|| Wrong::new(format!("keypoint_ids[{index}]"), shown(value), expected))
        };
        ids.iter().enumerate().map(id).collect()
    }

    /// Ids by the place in the list; with names, instance after instance.
    fn ids_by_place(&self, count: usize) -> Result<Vec<u32>, Wrong> {
        let names = self.keypoint_names.len();
        if names > 0 && !count.is_multiple_of(names) {
            let expected = format!("a multiple of the {names} keypoint_names, or keypoint_ids beside it");
            return Err(Wrong::new("keypoints", format!("a list of {count}"), expected));
        }
        Ok((0..count as u32).map(|place| if names > 0 { place % names as u32 } else { place }).collect())
    }
}

/// The value of a field that is there and not null.
fn present<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    object.get(field).filter(|value| !value.is_null())
}

fn only(object: &Map<String, Value>, at: &str, fields: &[&str]) -> Result<(), Wrong> {
    let Some(other) = object.keys().find(|field| !fields.contains(&field.as_str())) else { return Ok(()) };
    let field = if at.is_empty() { other.clone() } else { format!("{at}.{other}") };
    Err(Wrong::new(field, "a field that is not known", format!("one of {}", fields.join(", "))))
}

fn list<'a>(field: &str, value: &'a Value, expected: &str) -> Result<&'a Vec<Value>, Wrong> {
    value.as_array().ok_or_else(|| Wrong::new(field, shown(value), expected))
}

fn numbers(field: &str, value: &Value, expected: &str) -> Result<Vec<f64>, Wrong> {
    let numbers = list(field, value, expected)?.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
    numbers.ok_or_else(|| Wrong::new(field, shown(value), expected))
}

fn names(field: &str, value: &Value) -> Result<Vec<String>, Wrong> {
    let expected = "a list of different names";
    let names = list(field, value, expected)?.iter().map(|name| name.as_str().map(str::to_owned));
    let names = names.collect::<Option<Vec<_>>>().ok_or_else(|| Wrong::new(field, shown(value), expected))?;
    let mut sorted: Vec<&String> = names.iter().collect();
    sorted.sort();
    if let Some([twice, _]) = sorted.windows(2).find(|pair| matches!(pair, [a, b] if a == b)) {
        return Err(Wrong::new(field, format!("a list with {twice:?} twice"), expected));
    }
    if names.iter().any(String::is_empty) {
        return Err(Wrong::new(field, "a list with an empty name", expected));
    }
    Ok(names)
}

fn masks(value: &Value) -> Result<Vec<String>, Wrong> {
    let expected = "the path of a PNG, or a list of such";
    match value {
        Value::String(path) => Ok(vec![path.clone()]),
        Value::Array(paths) => {
            let paths = paths.iter().map(|path| path.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            paths.ok_or_else(|| Wrong::new("mask", shown(value), expected))
        }
        _ => Err(Wrong::new("mask", shown(value), expected)),
    }
}

fn format(value: &Value) -> Result<BoxFormat, Wrong> {
    value.as_str().and_then(BoxFormat::named).ok_or_else(|| Wrong::new("box_format", shown(value), formats()))
}

fn formats() -> String {
    format!("one of {}", BoxFormat::names().collect::<Vec<_>>().join(", "))
}

/// A value for a message: what there is, not all of it.
pub(super) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
