use std::fmt::Display;

use feedline_proto::v1;
use serde_json::{Value, json};

use crate::import::node::Node;

/// A transform that is no container, while its arguments are read.
pub(super) struct Leaf<'r> {
    pub(super) node: Node<'r>,
    /// Probability that it is applied.
    pub(super) p: f64,
    /// Whether the op that is made says the probability itself.
    pub(super) spent: bool,
    pub(super) approximate: bool,
    /// Channels of the images that come in; those that leave once it is imported.
    pub(super) channels: usize,
}

/// How pixels between pixels are computed: the fields `filter` and `antialias` of an op.
pub(super) struct Resampling {
    pub(super) filter: i32,
    pub(super) antialias: Option<bool>,
}

/// What is beyond the edge: the fields `border`, `fill` and `fill_mask` of an op.
pub(super) struct Beyond {
    pub(super) border: i32,
    pub(super) fill: Vec<f64>,
    pub(super) fill_mask: u32,
}

impl Leaf<'_> {
    /// The probability, for an op that has a field for it.
    pub(super) fn p(&mut self) -> Option<f64> {
        self.spent = true;
        Some(self.p)
    }

    /// What has a near equal only: noticed if that is allowed, else refused.
    pub(super) fn near(&mut self, name: &str, found: impl Display, difference: &str) {
        if self.approximate {
            self.node.notice(name, found, format!("approximated: {difference}"));
        } else {
            self.node.refuse(name, found, format!("{difference}; --approximate takes it as near enough"));
        }
    }

    /// `interpolation` and what belongs to it, of a class that resizes.
    pub(super) fn resampling(&mut self) -> Resampling {
        self.masks();
        self.node.only("area_for_downscale", &[], "the filter would depend on whether the image shrinks");
        let (filter, antialias) = match self.node.whole("interpolation").unwrap_or(1) {
            0 => (v1::Filter::Nearest, None),
            1 => (v1::Filter::Bilinear, Some(false)),
            2 => {
                let difference = "OpenCV's cubic has a = -0.75, feedline's a = -0.5 (without antialias, as OpenCV's)";
                self.near("interpolation", "2 (cubic)", difference);
                (v1::Filter::Bicubic, Some(false))
            }
            3 => {
                let difference = "OpenCV's INTER_AREA is feedline's box with antialias at whole ratios only, and bilinear when \
                                  it enlarges";
                self.near("interpolation", "3 (area)", difference);
                (v1::Filter::Box, Some(true))
            }
            4 => {
                let difference = "OpenCV's Lanczos has 4 lobes, feedline's 3 (without antialias, as OpenCV's)";
                self.near("interpolation", "4 (Lanczos)", difference);
                (v1::Filter::Lanczos3, Some(false))
            }
            6 => (v1::Filter::NearestExact, None),
            other => {
                self.node.refuse("interpolation", other, "expected 0 (nearest), 1 (linear) or 6 (nearest exact)");
                (v1::Filter::Unspecified, None)
            }
        };
        Resampling { filter: filter.into(), antialias }
    }

    /// `interpolation` of a class that warps, which has OpenCV's arithmetic here too.
    pub(super) fn warping(&mut self) -> i32 {
        self.masks();
        let filter = match self.node.whole("interpolation").unwrap_or(1) {
            0 => v1::Filter::Nearest,
            1 => v1::Filter::Bilinear,
            2 => v1::Filter::Bicubic,
            other => {
                self.node.refuse("interpolation", other, "expected 0 (nearest), 1 (linear) or 2 (cubic)");
                v1::Filter::Unspecified
            }
        };
        filter.into()
    }

    /// Masks hold classes: whatever lies between two is neither.
    fn masks(&mut self) {
        let why = "masks hold classes: they are moved by the nearest pixel";
        self.node.only("mask_interpolation", &[json!(0), json!(6)], why);
    }

    /// `border_mode`, `fill` and `fill_mask`.
    pub(super) fn beyond(&mut self) -> Beyond {
        let border = match self.node.whole("border_mode").unwrap_or(0) {
            0 => v1::Border::Constant,
            1 => v1::Border::Edge,
            2 => v1::Border::Symmetric,
            4 => v1::Border::Reflect,
            other => {
                let expected = "expected 0 (constant), 1 (replicate), 2 (reflect) or 4 (reflect 101)";
                self.node.refuse("border_mode", other, expected);
                v1::Border::Unspecified
            }
        };
        let fill = self.colour("fill");
        Beyond { border: border.into(), fill, fill_mask: self.class("fill_mask").unwrap_or(0) }
    }

    /// A colour: three numbers, or one that stands for all. Black if it is absent.
    pub(super) fn colour(&mut self, name: &str) -> Vec<f64> {
        let Some(value) = self.node.take(name) else { return vec![0.0; 3] };
        let numbers: Option<Vec<f64>> = match &value {
            Value::Array(values) => values.iter().map(Value::as_f64).collect(),
            one => one.as_f64().map(|one| vec![one; 3]),
        };
        let in_scale = |colour: &[f64; 3]| colour.iter().all(|part| (0.0..=255.0).contains(part));
        match numbers.and_then(|numbers| <[f64; 3]>::try_from(numbers).ok()).filter(in_scale) {
            Some(colour) => colour.to_vec(),
            None => {
                self.node.refuse(name, &value, "expected a number from 0 to 255, or three");
                vec![0.0; 3]
            }
        }
    }

    /// What a mask is filled with: one class.
    pub(super) fn class(&mut self, name: &str) -> Option<u32> {
        self.node.whole(name)
    }

    /// Two numbers, or one that stands for [-one, one].
    pub(super) fn symmetric(&mut self, name: &str, default: [f64; 2]) -> Vec<f64> {
        match self.node.take(name) {
            None => default.to_vec(),
            Some(value) => match (&value, value.as_f64()) {
                (_, Some(limit)) => vec![-limit.abs(), limit.abs()],
                (Value::Array(pair), None) if pair.len() == 2 && pair.iter().all(Value::is_number) => {
                    pair.iter().filter_map(Value::as_f64).collect()
                }
                _ => {
                    self.node.refuse(name, &value, "expected two numbers [low, high]");
                    default.to_vec()
                }
            },
        }
    }

    /// A height and a width.
    pub(super) fn size(&mut self) -> [u32; 2] {
        if !self.node.has("size") {
            self.node.refuse("size", "missing", "expected [height, width]");
        }
        self.node.two_whole("size").unwrap_or_default()
    }

    /// One of several words, by the number of an enum.
    pub(super) fn word(&mut self, name: &str, words: &[(&str, i32)]) -> i32 {
        let Some(word) = self.node.text(name) else { return words.first().map_or(0, |(_, number)| *number) };
        if let Some((_, number)) = words.iter().find(|(known, _)| *known == word) {
            return *number;
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.node.refuse(name, &word, format!("expected {}", known.join(" or ")));
        0
    }
}
