use std::collections::BTreeMap;

use feedline_proto::v1::{self, mixing::Kind};
use serde_json::Value;

use crate::import::node::Node;
use crate::import::report::Report;

/// Takes what a run says of MixUp, CutMix and label smoothing out of its arguments, into the loader spec.
pub(super) fn read(values: &mut BTreeMap<String, Value>, report: &mut Report, spec: &mut v1::LoaderSpec) {
    let own: BTreeMap<String, Value> = NAMES.iter().filter_map(|name| values.remove_entry(*name)).collect();
    if own.is_empty() {
        return;
    }
    let mut node = Node::new("timm", own, report);
    let mut number = |name: &str, default: f64, most: f64| {
        let value = node.number(name).unwrap_or(default);
        if !(0.0..=most).contains(&value) {
            node.refuse(name, value, format!("expected a number from 0 to {most}"));
        }
        value
    };
    let (mixup, cutmix) = (number("mixup", 0.0, 1000.0), number("cutmix", 0.0, 1000.0));
    let (p, switch_prob) = (number("mixup_prob", 1.0, 1.0), number("mixup_switch_prob", 0.5, 1.0));
    let smoothing = number("smoothing", 0.0, 1.0);
    node.only("cutmix_minmax", &[], "boxes by the least and the greatest side are not supported");
    let mode = node.text("mixup_mode").unwrap_or_else(|| "batch".into());
    let off = node.whole("mixup_off_epoch").filter(|epoch| *epoch > 0);
    let active = mixup > 0.0 || cutmix > 0.0;
    let per = match &*mode {
        "batch" => v1::DrawPer::Batch,
        "elem" => v1::DrawPer::Row,
        _ if !active => v1::DrawPer::Unspecified,
        "pair" => {
            node.refuse("mixup_mode", "pair", "rows that mix with each other alone are not supported");
            v1::DrawPer::Unspecified
        }
        other => {
            node.refuse("mixup_mode", other, "expected batch or elem");
            v1::DrawPer::Unspecified
        }
    };
    if active && per == v1::DrawPer::Batch {
        let why = "drawn once for the batch of all ranks; timm draws for each rank. Its partners are the batch the other way round, \
                   here a row's is the one before it in a group of 16";
        node.notice("mixup_mode", "batch", why);
    }
    if !active && smoothing > 0.0 {
        node.notice("smoothing", smoothing, "not read: without MixUp and CutMix it belongs to the loss");
    }
    if !node.finish() || !active {
        return;
    }
    let (p, per) = (Some(p), per.into());
    let cut = || v1::CutMix { alpha: Some(cutmix), p, per };
    let up = || v1::MixUp { alpha: Some(mixup), p, per };
    let kind = match (mixup > 0.0, cutmix > 0.0) {
        (true, true) => Kind::CutmixOrMixup(v1::CutMixOrMixUp {
            cutmix: Some(cut()),
            mixup: Some(up()),
            switch_prob: Some(switch_prob),
        }),
        (true, false) => Kind::Mixup(up()),
        _ => Kind::Cutmix(cut()),
    };
    spec.mixing = Some(v1::Mixing {
        kind: Some(kind),
        off_from_epoch: off,
        label_smoothing: (smoothing > 0.0).then_some(smoothing),
        ..Default::default()
    });
}

const NAMES: [&str; 8] = [
    "cutmix",
    "cutmix_minmax",
    "mixup",
    "mixup_mode",
    "mixup_off_epoch",
    "mixup_prob",
    "mixup_switch_prob",
    "smoothing",
];
