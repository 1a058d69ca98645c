use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::import::report::Report;

/// What 1.x called otherwise.
enum Old {
    /// An argument that has another name.
    Name(&'static str, &'static str),
    /// Two arguments that are the two ends of one.
    Pair([&'static str; 2], &'static str),
    /// An argument whose unit is another: divided by this, under another name.
    Unit(&'static str, &'static str, f64),
    /// An argument that does nothing any more, or did nothing that can be seen.
    Gone(&'static str, &'static str),
}

use Old::{Gone, Name, Pair, Unit};

const HOLES: &[Old] = &[
    Pair(["min_holes", "max_holes"], "num_holes_range"),
    Pair(["min_height", "max_height"], "hole_height_range"),
    Pair(["min_width", "max_width"], "hole_width_range"),
    Name("fill_value", "fill"),
    Name("mask_fill_value", "fill_mask"),
];
const BORDER: &[Old] = &[Name("value", "fill"), Name("mask_value", "fill_mask")];
const SIZED: &[Old] = &[Pair(["height", "width"], "size")];

/// Arguments of 1.x, by class.
const ARGUMENTS: &[(&str, &[Old])] = &[
    ("Affine", &[Name("mode", "border_mode"), Name("cval", "fill"), Name("cval_mask", "fill_mask")]),
    ("ChannelDropout", &[Name("fill_value", "fill")]),
    ("CoarseDropout", HOLES),
    ("Downscale", &[Pair(["scale_min", "scale_max"], "scale_range"), Name("interpolation", "interpolation_pair")]),
    ("ElasticTransform", BORDER),
    ("GridDistortion", BORDER),
    (
        "GridDropout",
        &[
            Pair(["unit_size_min", "unit_size_max"], "unit_size_range"),
            Pair(["holes_number_x", "holes_number_y"], "holes_number_xy"),
            Pair(["shift_x", "shift_y"], "shift_xy"),
            Name("fill_value", "fill"),
            Name("mask_fill_value", "fill_mask"),
        ],
    ),
    ("ImageCompression", &[Pair(["quality_lower", "quality_upper"], "quality_range")]),
    ("OpticalDistortion", BORDER),
    ("PadIfNeeded", BORDER),
    ("Perspective", &[Name("pad_mode", "border_mode"), Name("pad_val", "fill"), Name("mask_pad_val", "fill_mask")]),
    ("RandomGamma", &[Gone("eps", "it kept from dividing by 0 and changed no pixel")]),
    ("RandomResizedCrop", SIZED),
    ("RandomSizedCrop", SIZED),
    ("Rotate", BORDER),
    ("SafeRotate", BORDER),
    ("ShiftScaleRotate", BORDER),
    ("Solarize", &[Unit("threshold", "threshold_range", 255.0)]),
];

/// Gives arguments of 1.x their names and units of 2.0.8, and says so; returns the name of the class in 2.0.8.
pub(super) fn modernise(
    class: &str,
    values: &mut BTreeMap<String, Value>,
    place: &str,
    report: &mut Report,
    approximate: bool,
) -> String {
    let mut notice = |old: &str, why: String| report.notice(&format!("{place}.{old}"), "a name of 1.x", why);
    let class = match class {
        "JpegCompression" => {
            notice("__class_fullname__", "read as ImageCompression".into());
            "ImageCompression"
        }
        "Flip" | "RandomBrightness" | "RandomContrast" | "Cutout" | "GaussianNoise" => {
            // Removed, and what stands for them draws otherwise: reported as unknown.
            class
        }
        other => other,
    };
    let olds = ARGUMENTS.iter().filter(|(name, _)| *name == class).flat_map(|(_, olds)| *olds);
    for old in olds {
        match old {
            Name(old, new) => {
                if let Some(value) = values.remove(*old) {
                    notice(old, format!("read as {new}"));
                    values.entry((*new).to_owned()).or_insert(value);
                }
            }
            Pair([low, high], new) => {
                let pair = (values.remove(*low), values.remove(*high));
                // A lower end that is absent or null is the upper one.
                let (low_value, high_value) = match pair {
                    (None, None) => continue,
                    (Some(low), None) => (low.clone(), low),
                    (None | Some(Value::Null), Some(high)) => (high.clone(), high),
                    (Some(low), Some(high)) => (low, high),
                };
                notice(&format!("{low}, {high}"), format!("read as {new}"));
                if !high_value.is_null() {
                    values.entry((*new).to_owned()).or_insert(json!([low_value, high_value]));
                }
            }
            Unit(old, new, divisor) => {
                if let Some(value) = values.remove(*old) {
                    notice(old, format!("read as {new}, divided by {divisor}"));
                    values.entry((*new).to_owned()).or_insert(divided(&value, *divisor));
                }
            }
            Gone(old, why) => {
                if values.remove(*old).is_some() {
                    notice(old, format!("dropped: {why}"));
                }
            }
        }
    }
    if class == "GaussNoise" {
        gauss_noise(values, place, report, approximate);
    }
    class.to_owned()
}

/// A variance of 8-bit values, drawn uniformly, became a standard deviation as a fraction of the full scale, drawn uniformly.
fn gauss_noise(values: &mut BTreeMap<String, Value>, place: &str, report: &mut Report, approximate: bool) {
    if let Some(mean) = values.remove("mean") {
        report.notice(&format!("{place}.mean"), &mean, "read as mean_range, divided by 255");
        values.entry("mean_range".into()).or_insert(divided(&mean, 255.0));
    }
    let Some(limit) = values.remove("var_limit") else { return };
    let at = format!("{place}.var_limit");
    let ends: Option<Vec<f64>> = match &limit {
        Value::Array(ends) => ends.iter().map(Value::as_f64).collect(),
        one => one.as_f64().map(|high| vec![0.0, high]),
    };
    let Some([low, high]) = ends.and_then(|ends| <[f64; 2]>::try_from(ends).ok()).filter(|[low, _]| *low >= 0.0) else {
        report.unsupported(&at, &limit, "expected two variances, not negative");
        return;
    };
    let std = [low, high].map(|variance| variance.sqrt() / 255.0);
    if low == high {
        report.notice(&at, &limit, "read as std_range: the root of it, divided by 255");
    } else if approximate {
        report.notice(
            &at,
            &limit,
            "approximated: the standard deviation is uniform between the roots, not the variance",
        );
    } else {
        let why = "1.x draws the variance uniformly, 2.0.8 and feedline the standard deviation; --approximate takes it as near enough";
        report.unsupported(&at, &limit, why);
    }
    values.insert("std_range".into(), json!(std));
}

/// One number or several, divided; one becomes a range of that one.
fn divided(value: &Value, divisor: f64) -> Value {
    match value {
        Value::Array(values) => {
            values.iter().map(|value| value.as_f64().map_or(Value::Null, |x| json!(x / divisor))).collect()
        }
        one => one.as_f64().map_or(one.clone(), |x| json!([x / divisor, x / divisor])),
    }
}
