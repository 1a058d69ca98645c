//! What the vectors ask for: every dtype, both layouts, labels, soft labels, boxes, views, ranks, strides.

use feedline_proto::CONTRACT_REVISION;
use feedline_proto::v1::{self, BoxFormat, Dtype, Layout, op::Op};

use crate::common::{cutmix, mixed, rank, spec_of};

/// A crop, a flip, and what makes floats of them: UINT8 leaves the last two undone.
fn spec(global_batch_size: u32) -> v1::LoaderSpec {
    let crop = Op::RandomResizedCrop(v1::RandomResizedCrop { height: 32, width: 24, ..Default::default() });
    let normalize = v1::Normalize::default();
    let ops = [
        crop,
        Op::HorizontalFlip(v1::HorizontalFlip::default()),
        Op::ToFloat(v1::ToFloat::default()),
        Op::Normalize(normalize),
    ];
    spec_of(ops, global_batch_size)
}

fn delivery(dtype: Dtype, layout: Layout, start: (u32, u64), count: u64) -> v1::Delivery {
    let start = Some(v1::Cursor { epoch: start.0, step: start.1, ..Default::default() });
    let mut delivery = v1::Delivery { start, count: Some(count), part_bytes: Some(4096), ..Default::default() };
    delivery.set_dtype(dtype);
    delivery.set_layout(layout);
    delivery
}

/// Every request of the vectors, by name.
pub(crate) fn all() -> Vec<(&'static str, v1::StreamRequest)> {
    let whole = || rank(0, 1);
    let with_boxes = v1::LoaderSpec { targets: vec![v1::Target::Boxes.into()], ..spec(10) };
    let mut boxes = delivery(Dtype::Uint8, Layout::Nhwc, (0, 0), 3);
    boxes.set_box_format(BoxFormat::Coco);
    let views = v1::LoaderSpec { views: Some(v1::Views { count: 2, ..Default::default() }), ..spec(6) };
    let strided = v1::Delivery { stride: Some(2), ..delivery(Dtype::Uint8, Layout::Nchw, (1, 1), 3) };
    let requests = [
        (
            "an epoch of UINT8 NHWC, the last batch short",
            spec(10),
            whole(),
            delivery(Dtype::Uint8, Layout::Nhwc, (0, 0), 3),
        ),
        (
            "an epoch of FP32 NCHW, the last batch short",
            spec(10),
            whole(),
            delivery(Dtype::Fp32, Layout::Nchw, (0, 0), 3),
        ),
        ("FP16 across the end of an epoch", spec(12), whole(), delivery(Dtype::Fp16, Layout::Nhwc, (0, 1), 2)),
        ("BF16", spec(12), whole(), delivery(Dtype::Bf16, Layout::Nchw, (3, 0), 1)),
        (
            "soft labels of CutMix, FP32",
            mixed(spec(8), cutmix()),
            whole(),
            delivery(Dtype::Fp32, Layout::Nhwc, (0, 0), 3),
        ),
        (
            "soft labels of CutMix, UINT8",
            mixed(spec(8), cutmix()),
            whole(),
            delivery(Dtype::Uint8, Layout::Nhwc, (0, 0), 3),
        ),
        ("boxes, ragged", with_boxes, whole(), boxes),
        ("two views of every sample", views, whole(), delivery(Dtype::Uint8, Layout::Nhwc, (0, 0), 2)),
        ("rank 1 of 2, every second step from epoch 1 on", spec(8), rank(1, 2), strided),
    ];
    let request = |(name, spec, placement, delivery)| {
        let (spec, placement, delivery) = (Some(spec), Some(placement), Some(delivery));
        let contract_revision = CONTRACT_REVISION;
        (name, v1::StreamRequest { contract_revision, spec, placement, delivery, ..Default::default() })
    };
    requests.map(request).into()
}
