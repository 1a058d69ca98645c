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

    /// `interpolation` and what belongs to it.
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
                let difference = "OpenCV's INTER_AREA is feedline's box with antialias at whole ratios only, and bilinear when it enlarges";
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

    /// Masks hold classes: whatever lies between two is neither.
    pub(super) fn masks(&mut self) {
        self.node.only(
            "mask_interpolation",
            &[json!(0), json!(6)],
            "masks hold classes: they are moved by the nearest pixel",
        );
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
}
