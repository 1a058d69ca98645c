//! Promise: the bytes of a batch are those of every earlier version, unless the version of what changed was raised.
//!
//! `FEEDLINE_WRITE_EPOCH_HASHES=1 cargo test --test epoch_hashes` writes the file anew, after a change that is meant.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::*;
use feedline::engine::Engine;
use feedline::source;
use feedline::store::{Dataset, Mode};
use feedline_proto::v1::{self, op::Op};
use serde::{Deserialize, Serialize};

/// What is committed.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Committed {
    /// Fingerprint of the bundled photographs as a dataset.
    dataset_fingerprint: String,
    /// The same of them with boxes.
    boxed_dataset_fingerprint: String,
    specs: BTreeMap<String, Hashes>,
}

/// What is committed of a spec.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Hashes {
    spec_fingerprint: String,
    /// SHA-256 of all payloads of two epochs, one after the other, by dtype and layout.
    epochs: BTreeMap<String, String>,
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden/epoch_hashes.json");

fn of_some_samples(spec: v1::LoaderSpec) -> v1::LoaderSpec {
    v1::LoaderSpec { split: "train[:12]".into(), ..spec }
}

fn specs() -> Vec<(&'static str, v1::LoaderSpec)> {
    use v1::mixing::Kind;
    let batch = v1::DrawPer::Batch.into();
    let cutmix_per_batch = Kind::Cutmix(v1::CutMix { per: batch, alpha: Some(0.5), p: Some(0.5) });
    let mixup_per_batch = Kind::Mixup(v1::MixUp { per: batch, alpha: Some(0.4), p: Some(0.5) });
    let mosaic_per_batch = Kind::Mosaic(v1::Mosaic { per: batch, p: Some(0.5), center_range: vec![0.1, 0.6] });
    let grouped = v1::Mixing { kind: Some(cutmix()), group_size: Some(3), ..Default::default() };
    let cutmix_or_mixup = Kind::CutmixOrMixup(v1::CutMixOrMixUp { switch_prob: Some(0.3), ..Default::default() });
    let smoothed =
        v1::Mixing { kind: Some(cutmix()), off_from_epoch: Some(1), label_smoothing: Some(0.1), ..Default::default() };
    let copies = v1::Views { count: 3, groups: Vec::new() };
    let ten_crop =
        v1::ViewGroup { test_time: v1::TestTime::TenCrop.into(), height: 24, width: 20, ..Default::default() };
    let ten_crops = v1::Views { count: 0, groups: vec![ten_crop] };
    let ended = |last: v1::LastBatch| v1::LoaderSpec { last_batch: last.into(), ..small_spec(20) };
    let mut upright = small_spec(20);
    upright.decode = Some(v1::DecodeOptions { exif_orientation: true, ..Default::default() });
    let mut scaled = small_spec(20);
    scaled.decode = Some(v1::DecodeOptions { scaled: true, ..Default::default() });
    let mut sequential = small_spec(20);
    sequential.set_order(v1::Order::Sequential);
    vec![
        ("imagenet-train", of_some_samples(spec("imagenet-train", 5))),
        ("imagenet-eval", of_some_samples(spec("imagenet-eval", 5))),
        ("tutorial", of_some_samples(spec("tutorial", 5))),
        ("none", of_some_samples(spec("none", 1))),
        ("imagenet-train cutmix", of_some_samples(mixed(spec("imagenet-train", 5), cutmix()))),
        ("tutorial mixup", of_some_samples(mixed(spec("tutorial", 5), mixup()))),
        ("small cutmix", mixed(small_spec(20), cutmix())),
        ("small cutmix per batch", mixed(small_spec(20), cutmix_per_batch)),
        ("small cutmix in threes", v1::LoaderSpec { mixing: Some(grouped), ..small_spec(20) }),
        ("small mixup", mixed(small_spec(20), mixup())),
        ("small cutmix or mixup", mixed(small_spec(20), cutmix_or_mixup)),
        ("small cutmix smoothed, off from epoch 1", v1::LoaderSpec { mixing: Some(smoothed), ..small_spec(20) }),
        ("small in three copies", v1::LoaderSpec { views: Some(copies), ..small_spec(20) }),
        ("ten crops", v1::LoaderSpec { views: Some(ten_crops), ..small_spec(20) }),
        ("small mixup per batch", mixed(small_spec(20), mixup_per_batch)),
        ("small mosaic", mixed(small_spec(20), mosaic())),
        ("small mosaic per batch", mixed(small_spec(20), mosaic_per_batch)),
        ("small short", ended(v1::LastBatch::Short)),
        ("small drop", ended(v1::LastBatch::Drop)),
        ("small wrap", ended(v1::LastBatch::Wrap)),
        ("small sequential", sequential),
        ("small upright", upright),
        ("small scaled", scaled),
        ("small slice", v1::LoaderSpec { split: "train[25%:75%]".into(), ..small_spec(20) }),
        ("geometry", geometry()),
        ("colour", colour()),
        ("groups", groups()),
    ]
}

/// What moves boxes from row to row, on the photographs with boxes.
fn boxed_specs() -> Vec<(&'static str, v1::LoaderSpec)> {
    use v1::mixing::Kind;
    let boxed = |kind| v1::LoaderSpec { targets: vec![v1::Target::Boxes.into()], ..mixed(small_spec(20), kind) };
    let copy_paste = Kind::CopyPaste(v1::CopyPaste { p: Some(0.8), max_objects: Some(2), object_p: Some(0.6) });
    vec![("boxes mosaic", boxed(mosaic())), ("boxes copy_paste", boxed(copy_paste))]
}

/// The photographs with two or three boxes each, by a manifest.
fn boxed_photographs() -> Dataset {
    let root = tempfile::tempdir().expect("a folder");
    let mut lines = vec![r#"{"manifest": 1, "box_format": "normalized"}"#.to_owned()];
    for (index, (key, bytes)) in feedline::demo::photographs().enumerate() {
        let path = root.path().join(key);
        std::fs::create_dir_all(path.parent().expect("a class")).expect("made");
        std::fs::write(path, bytes).expect("written");
        // Sixteenths are exact.
        let corner = |n: usize| (index * (n + 3) + n * 5) % 9;
        let boxes = (0..2 + index % 2).map(|n| {
            let [x, y] = [corner(n), corner(n + 1)];
            let sides = [x, y, x + 2 + (index + n) % 6, y + 3 + n].map(|side| side as f64 / 16.0);
            format!(r#"{{"box": {sides:?}, "label": "object {n}"}}"#)
        });
        let class = key.split('/').next().expect("a class");
        let boxes = boxes.collect::<Vec<_>>().join(", ");
        lines.push(format!(r#"{{"file": "{key}", "label": "{class}", "boxes": [{boxes}]}}"#));
    }
    std::fs::write(root.path().join("train.jsonl"), lines.join("\n")).expect("written");
    loaded(source::at(root.path(), Some("boxed")).expect("a dataset"), Mode::Encoded)
}

fn ops(ops: impl IntoIterator<Item = Op>) -> Vec<v1::Op> {
    ops.into_iter().map(|op| v1::Op { op: Some(op) }).collect()
}

/// Every geometric op.
fn geometry() -> v1::LoaderSpec {
    let resize = v1::Resize { shortest_edge: 64, filter: v1::Filter::Bicubic.into(), ..Default::default() };
    let crop = v1::RandomCrop { height: 60, width: 60, padding: 4, ..Default::default() };
    let pipeline = [
        Op::CentralCrop(v1::CentralCrop { fraction: vec![0.6, 0.9] }),
        Op::Resize(resize),
        Op::RandomCrop(v1::RandomCrop { border: v1::Border::Reflect.into(), ..crop }),
        Op::HorizontalFlip(v1::HorizontalFlip::default()),
        Op::VerticalFlip(v1::VerticalFlip::default()),
        Op::Rot90(v1::Rot90::default()),
        Op::CenterCrop(v1::CenterCrop { height: 40, width: 48, ..Default::default() }),
        Op::RandomResizedCrop(v1::RandomResizedCrop { height: 24, width: 24, ..Default::default() }),
    ];
    spec_of(pipeline, 20)
}

/// Every colour op, on 8 bits and then on floats.
fn colour() -> v1::LoaderSpec {
    let half = Some(0.5);
    let tensorflow = (v1::ContrastMethod::Tensorflow.into(), v1::SaturationMethod::Tensorflow.into());
    let pipeline = [
        Op::Resize(v1::Resize { height: 24, width: 24, ..Default::default() }),
        Op::Brightness(v1::Brightness { factor: vec![0.5, 1.5], p: half, ..Default::default() }),
        Op::Contrast(v1::Contrast { factor: vec![0.5, 1.5], p: half, ..Default::default() }),
        Op::Saturation(v1::Saturation { factor: vec![0.5, 1.5], p: half, ..Default::default() }),
        Op::Hue(v1::Hue { delta: vec![-0.1, 0.1], p: half, ..Default::default() }),
        Op::ColorJitter(v1::ColorJitter { saturation: vec![0.5, 1.5], hue: vec![-0.1, 0.1], ..Default::default() }),
        Op::Grayscale(v1::Grayscale { p: Some(0.2), ..Default::default() }),
        Op::ToFloat(v1::ToFloat::default()),
        Op::Brightness(v1::Brightness { delta: vec![-0.2, 0.2], ..Default::default() }),
        Op::Contrast(v1::Contrast { factor: vec![0.5, 1.5], method: tensorflow.0, p: half }),
        Op::Saturation(v1::Saturation { factor: vec![0.5, 1.5], method: tensorflow.1, p: half }),
        Op::Clip(v1::Clip::default()),
        Op::Normalize(v1::Normalize::default()),
    ];
    spec_of(pipeline, 20)
}

/// Every group.
fn groups() -> v1::LoaderSpec {
    let flips = ops([Op::HorizontalFlip(v1::HorizontalFlip { p: Some(1.0) }), Op::Rot90(v1::Rot90::default())]);
    let gray = Op::Grayscale(v1::Grayscale::default());
    let light = Op::Brightness(v1::Brightness { factor: vec![0.5, 1.5], ..Default::default() });
    let dull = Op::Contrast(v1::Contrast { factor: vec![0.2, 0.8], ..Default::default() });
    let pipeline = [
        Op::RandomResizedCrop(v1::RandomResizedCrop { height: 24, width: 24, ..Default::default() }),
        Op::Sequence(v1::Sequence { ops: flips.clone(), p: Some(0.5) }),
        Op::OneOf(v1::OneOf { ops: flips, weights: vec![1.0, 3.0], p: Some(0.7) }),
        Op::SomeOf(v1::SomeOf {
            ops: ops([gray, light.clone(), dull.clone()]),
            count: 2,
            p: Some(0.8),
            replace: false,
        }),
        Op::RandomOrder(v1::RandomOrder { ops: ops([light, dull]), p: Some(0.6), count: 0 }),
    ];
    spec_of(pipeline, 20)
}

/// The forms in which each spec is hashed: all of those it can be delivered in for two of them, one for the others.
fn forms(name: &str) -> Vec<(v1::Dtype, v1::Layout)> {
    use v1::{Dtype, Layout};
    let dtypes = [Dtype::Uint8, Dtype::Fp16, Dtype::Bf16, Dtype::Fp32];
    match name {
        "imagenet-train" | "small mixup" => {
            dtypes.into_iter().flat_map(|dtype| [(dtype, Layout::Nhwc), (dtype, Layout::Nchw)]).collect()
        }
        "tutorial" | "colour" | "tutorial mixup" => vec![(Dtype::Fp16, Layout::Nhwc), (Dtype::Fp32, Layout::Nchw)],
        _ => vec![(Dtype::Uint8, Layout::Nhwc)],
    }
}

fn hashes_of(engine: &Engine, name: &str, spec: &v1::LoaderSpec) -> Hashes {
    let request = engine.resolve(spec, &rank(0, 1), &v1::Delivery::default()).expect("a sound spec");
    let count = 2 * request.recipe.plan.steps_per_epoch();
    let epochs = forms(name).into_iter().map(|(dtype, layout)| {
        let delivery = v1::Delivery { dtype: dtype.into(), layout: layout.into(), ..from(0, 0, count) };
        let form = format!("{} {}", dtype.as_str_name(), layout.as_str_name());
        (
            form.replace("DTYPE_", "").replace("LAYOUT_", ""),
            hash(made_hashes(engine, spec, &delivery).concat().as_bytes()),
        )
    });
    Hashes { spec_fingerprint: request.recipe.fingerprint.clone(), epochs: epochs.collect() }
}

#[test]
fn the_bytes_of_an_epoch_are_those_of_every_version_before() {
    let (engine, boxed) = (photographs_engine(2), engine(boxed_photographs(), 2));
    let hashes = |engine, specs: Vec<(&str, v1::LoaderSpec)>| -> Vec<(String, Hashes)> {
        specs.iter().map(|(name, spec)| ((*name).to_owned(), hashes_of(engine, name, spec))).collect()
    };
    let found = Committed {
        dataset_fingerprint: engine.datasets()[0].fingerprint.clone(),
        boxed_dataset_fingerprint: boxed.datasets()[0].fingerprint.clone(),
        specs: hashes(&engine, specs()).into_iter().chain(hashes(&boxed, boxed_specs())).collect(),
    };
    if std::env::var_os("FEEDLINE_WRITE_EPOCH_HASHES").is_some() {
        let text = serde_json::to_string_pretty(&found).expect("plain data") + "\n";
        std::fs::write(FILE, text).expect("written");
    }
    let text = std::fs::read_to_string(Path::new(FILE)).expect("the committed hashes");
    let committed: Committed = serde_json::from_str(&text).expect("what this test writes");
    let mut differ = Vec::new();
    if found.dataset_fingerprint != committed.dataset_fingerprint {
        differ.push("the dataset's fingerprint".to_owned());
    }
    if found.boxed_dataset_fingerprint != committed.boxed_dataset_fingerprint {
        differ.push("the fingerprint of the dataset with boxes".to_owned());
    }
    for name in found.specs.keys().chain(committed.specs.keys().filter(|name| !found.specs.contains_key(*name))) {
        match (found.specs.get(name), committed.specs.get(name)) {
            (Some(found), Some(committed)) => {
                if found.spec_fingerprint != committed.spec_fingerprint {
                    differ.push(format!("{name}: the spec's fingerprint"));
                }
                let forms = found.epochs.iter().filter(|(form, hash)| committed.epochs.get(*form) != Some(hash));
                differ.extend(forms.map(|(form, _)| format!("{name}: the bytes as {form}")));
            }
            _ => differ.push(format!("{name}: it is only in the test or only in the file")),
        }
    }
    assert!(
        differ.is_empty(),
        "not what is committed:\n  {}\nWhoever resumes a training would get other batches without being told. If the change is \
         meant, raise the version of what changed (of an op beside its code, of the plan in src/plan, of mixing in src/batch), so \
         that cursors of before are refused, note it in CHANGELOG.md, and write the file anew with FEEDLINE_WRITE_EPOCH_HASHES=1",
        differ.join("\n  ")
    );
    assert_eq!(found, committed);
}

#[test]
fn rows_that_take_boxes_from_others_do_not_depend_on_the_number_of_threads() {
    for (name, spec) in boxed_specs() {
        let plain = v1::LoaderSpec { mixing: None, ..spec.clone() };
        let of = |threads, spec| {
            let engine = engine(boxed_photographs(), threads);
            let epoch = engine.resolve(spec, &rank(0, 1), &v1::Delivery::default()).expect("sound");
            made_hashes(&engine, spec, &from(0, 0, 2 * epoch.recipe.plan.steps_per_epoch()))
        };
        let one = of(1, &spec);
        assert_eq!(of(8, &spec), one, "{name}");
        let unmixed = of(1, &plain);
        assert!(one.iter().zip(&unmixed).all(|(mixed, plain)| mixed != plain), "{name} changes nothing");
    }
}

#[test]
fn no_two_specs_have_a_fingerprint_or_an_epoch_in_common() {
    let text = std::fs::read_to_string(Path::new(FILE)).expect("the committed hashes");
    let committed: Committed = serde_json::from_str(&text).expect("what the other test writes");
    let mut fingerprints: Vec<_> = committed.specs.values().map(|spec| &spec.spec_fingerprint).collect();
    let mut epochs: Vec<_> = committed.specs.values().flat_map(|spec| spec.epochs.values()).collect();
    let count = (fingerprints.len(), epochs.len());
    fingerprints.sort_unstable();
    fingerprints.dedup();
    epochs.sort_unstable();
    epochs.dedup();
    // The photographs have no EXIF orientation: turning them upright changes the spec, not the bytes.
    assert_eq!((fingerprints.len(), epochs.len()), (count.0, count.1 - 1));
}
