//! Mixing and views.

use feedline_proto::v1::{self, op::Op};
use tonic::Code;

use crate::common::*;
use crate::{Spoil, all_refused, delivery, ops, spec};

#[tokio::test(flavor = "multi_thread")]
async fn mixings_that_can_not_be_are_refused() {
    let cases: &[(Spoil, &[&str])] = &[
        (
            |r| {
                spec(r).mixing = mixed(small_spec(1), cutmix()).mixing;
                spec(r).dataset = "unlabelled".into();
            },
            &["spec.mixing is set", "no classes"],
        ),
        (
            |r| spec(r).mixing = Some(v1::Mixing::default()),
            &["spec.mixing is empty, expected cutmix, mixup, cutmix_or_mixup, mosaic or copy_paste"],
        ),
        (
            |r| {
                let per_batch = v1::MixUp { per: v1::DrawPer::Batch.into(), ..Default::default() };
                let both = v1::CutMixOrMixUp { mixup: Some(per_batch), ..Default::default() };
                let kind = Some(v1::mixing::Kind::CutmixOrMixup(both));
                spec(r).mixing = Some(v1::Mixing { kind, ..Default::default() });
            },
            &["spec.mixing.cutmix_or_mixup draws cutmix per Row and mixup per Batch"],
        ),
        (
            |r| {
                spec(r).mixing = mixed(small_spec(1), cutmix()).mixing;
                spec(r).mixing.get_or_insert_default().label_smoothing = Some(1.5);
            },
            &["spec.mixing.label_smoothing is 1.5", "0 to 1"],
        ),
        (|r| mosaic(r, &[0.6, 0.4]), &["spec.mixing.mosaic.center_range is [0.6, 0.4], expected two numbers"]),
        (|r| mosaic(r, &[0.5, 1.5]), &["spec.mixing.mosaic.center_range[1] is 1.5", "0 to 1"]),
        (|r| mosaic(r, &[0.5]), &["spec.mixing.mosaic.center_range is [0.5], expected two numbers"]),
        (
            |r| copy_paste(r, v1::CopyPaste { max_objects: Some(0), ..Default::default() }),
            &["spec.mixing.copy_paste.max_objects is 0", "1 to 10000"],
        ),
        (
            |r| copy_paste(r, v1::CopyPaste { object_p: Some(f64::NAN), ..Default::default() }),
            &["spec.mixing.copy_paste.object_p is NaN"],
        ),
        (
            |r| copy_paste(r, v1::CopyPaste::default()),
            &["spec.targets has no boxes beside spec.mixing.copy_paste, expected boxes"],
        ),
        (
            |r| {
                copy_paste(r, v1::CopyPaste::default());
                spec(r).mixing.get_or_insert_default().label_smoothing = Some(0.1);
            },
            &["spec.mixing.label_smoothing is 0.1 beside copy_paste"],
        ),
    ];
    all_refused(Code::InvalidArgument, cases).await;
}

fn mosaic(request: &mut v1::StreamRequest, center_range: &[f64]) {
    let mosaic = v1::Mosaic { center_range: center_range.to_vec(), ..Default::default() };
    spec(request).mixing = mixed(small_spec(1), v1::mixing::Kind::Mosaic(mosaic)).mixing;
}

fn copy_paste(request: &mut v1::StreamRequest, copy_paste: v1::CopyPaste) {
    spec(request).mixing = mixed(small_spec(1), v1::mixing::Kind::CopyPaste(copy_paste)).mixing;
}

/// Sets one group of views, with `ops`.
fn group(request: &mut v1::StreamRequest, group: v1::ViewGroup) {
    spec(request).views.get_or_insert_default().groups.push(group);
}

fn crop(height: u32, width: u32) -> v1::Op {
    let crop = v1::CenterCrop { height, width, ..Default::default() };
    v1::Op { op: Some(Op::CenterCrop(crop)) }
}

fn test_time(test_time: v1::TestTime) -> v1::ViewGroup {
    v1::ViewGroup { test_time: test_time.into(), ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_can_not_be_are_refused() {
    let cases: &[(Spoil, &[&str])] = &[
        (|r| spec(r).views = Some(v1::Views::default()), &["spec.views is empty, expected count or groups"]),
        (
            |r| {
                group(r, v1::ViewGroup::default());
                spec(r).views.get_or_insert_default().count = 2;
            },
            &["spec.views has both count and groups"],
        ),
        (|r| spec(r).views = Some(v1::Views { count: 257, groups: Vec::new() }), &["spec.views.count is 257", "256"]),
        (
            |r| group(r, v1::ViewGroup { name: "Global".into(), ..Default::default() }),
            &["spec.views.groups[0].name is \"Global\", expected", "lower-case"],
        ),
        (
            |r| (0..2).for_each(|_| group(r, v1::ViewGroup { name: "a".into(), ..Default::default() })),
            &["spec.views.groups[1].name is \"a\", which another group has"],
        ),
        (
            |r| group(r, v1::ViewGroup { count: Some(2), ..test_time(v1::TestTime::Flip) }),
            &["spec.views.groups[0].count is 2 beside test_time"],
        ),
        (
            |r| group(r, v1::ViewGroup { height: 16, ..test_time(v1::TestTime::FiveCrop) }),
            &["spec.views.groups[0].height and width are for test_time five_crop and ten_crop, which need both"],
        ),
        (
            |r| group(r, v1::ViewGroup { height: 33, width: 16, ..test_time(v1::TestTime::TenCrop) }),
            &["spec.views.groups[0], view 0 of 10", "height is 33", "1 to 32, the height of the smallest image"],
        ),
        (
            |r| group(r, v1::ViewGroup { ops: vec![crop(8, 8), crop(9, 9)], ..Default::default() }),
            &["spec.views.groups[0].ops[1].center_crop.height is 9, expected 1 to 8"],
        ),
        (
            |r| {
                ops(r, [Op::Resize(v1::Resize { height: 16, width: 24, ..Default::default() })]);
                group(r, test_time(v1::TestTime::D4));
            },
            &["spec.views.groups[0].test_time makes views of different sizes, expected square images"],
        ),
        (
            |r| {
                ops(r, []);
                group(r, v1::ViewGroup::default());
            },
            &["spec.views.groups[0] leaves images of different sizes", "end its ops in a resize or a crop"],
        ),
        (
            |r| {
                spec(r).mixing = mixed(small_spec(1), cutmix()).mixing;
                (0..2).for_each(|i| group(r, v1::ViewGroup { name: format!("v{i}"), ..Default::default() }));
            },
            &["spec.mixing is set beside several groups of views"],
        ),
        (
            |r| {
                let to_float = v1::Op { op: Some(Op::ToFloat(v1::ToFloat::default())) };
                group(r, v1::ViewGroup { name: "a".into(), ops: vec![to_float], ..Default::default() });
                group(r, v1::ViewGroup { name: "b".into(), ..Default::default() });
                delivery(r).dtype = v1::Dtype::Uint8.into();
            },
            &["spec.views.groups end in different to_float and normalize ops"],
        ),
    ];
    all_refused(Code::InvalidArgument, cases).await;
}
