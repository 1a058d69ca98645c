//! Promise: an op that takes something from images of the dataset takes it from those that its field names, whatever is kept in
//! memory and whoever makes the batch; one that is not there is refused before anything runs, with the field's path.

mod common;

use common::*;
use feedline::engine::{Engine, RequestError};
use feedline::source;
use feedline::store::Mode;
use feedline_proto::v1::{self, op::Op};

/// Two photographs, a damaged file and one that is no image, in this order.
fn engine_of_few(mode: Mode) -> Engine {
    let photographs: Vec<&'static [u8]> = feedline::demo::photographs().map(|(_, file)| file).collect();
    let items: [(&'static str, &'static [u8]); 4] = [
        ("a/0.jpg", photographs[0]),
        ("a/1.jpg", photographs[40]),
        ("b/2.jpg", include_bytes!("data/bad/truncated.jpg")),
        ("b/3.jpg", include_bytes!("data/bad/text.jpg")),
    ];
    engine(loaded(source::embedded("few", &["a", "b"], items.into_iter()), mode), 2)
}

fn resize(side: u32) -> Op {
    Op::Resize(v1::Resize { height: side, width: side, ..Default::default() })
}

fn ops_of(references: &[u64]) -> [Op; 3] {
    let references = references.to_vec();
    [
        Op::HistogramMatching(v1::HistogramMatching {
            references: references.clone(),
            p: Some(1.0),
            ..Default::default()
        }),
        Op::Fda(v1::Fda { references: references.clone(), p: Some(1.0), ..Default::default() }),
        Op::PixelDistributionAdaptation(v1::PixelDistributionAdaptation {
            references,
            p: Some(1.0),
            ..Default::default()
        }),
    ]
}

fn refusal(engine: &Engine, spec: &v1::LoaderSpec) -> String {
    let refused = engine.resolve(spec, &rank(0, 1), &v1::Delivery::default()).err();
    match refused.expect("to be refused") {
        RequestError::Invalid(mistakes) => mistakes.join("; "),
        other => other.to_string(),
    }
}

#[test]
fn batches_depend_on_which_images_are_named_and_on_nothing_else() {
    let hashes = |engine: &Engine, references: &[u64]| {
        let ops = [resize(32)].into_iter().chain(ops_of(references));
        made_hashes(engine, &spec_of(ops, 16), &from(0, 0, 2))
    };
    let (one, decoded) = (photographs_engine(1), engine(loaded(photographs(), Mode::Decoded), 3));
    let expected = hashes(&one, &[34, 52, 7]);
    assert_eq!(hashes(&decoded, &[34, 52, 7]), expected);
    assert_ne!(hashes(&one, &[34, 52, 8]), expected);
    assert_ne!(hashes(&one, &[52, 34, 7]), expected, "a reference is drawn by its place in the list");
}

#[test]
fn a_reference_may_be_of_any_size_where_images_are() {
    let engine = photographs_engine(2);
    let spec = spec_of(ops_of(&[1, 50]), 1);
    let request = engine.resolve(&spec, &rank(0, 1), &v1::Delivery::default()).expect("batches of one row");
    let plain = engine.resolve(&spec_of([], 1), &rank(0, 1), &v1::Delivery::default()).expect("sound");
    // Two images that three ops keep are a part of what the stream takes.
    assert!(request.batch_bytes() > plain.batch_bytes() + 100_000);
    assert_eq!(made(&engine, &spec, &rank(0, 1), &from(0, 0, 3)).len(), 3);
}

#[test]
fn what_is_not_there_or_not_sound_is_refused_with_the_field() {
    for mode in [Mode::Encoded, Mode::Auto] {
        let engine = engine_of_few(mode);
        for (op, name) in
            ops_of(&[0, 2]).into_iter().zip(["histogram_matching", "fda", "pixel_distribution_adaptation"])
        {
            let refused = refusal(&engine, &spec_of([resize(16), op], 2));
            let expected = format!("spec.pipeline.ops[1].{name}.references[1] is sample 2 of train (b/2.jpg), which ");
            assert!(refused.starts_with(&expected), "{refused}");
            assert!(refused.ends_with("expected a sample that can be decoded"), "{refused}");
        }
        let refused = |references: &[u64]| {
            let [op, ..] = ops_of(references);
            refusal(&engine, &spec_of([resize(16), op], 2))
        };
        assert!(refused(&[3]).contains("references[0] is sample 3 of train (b/3.jpg), which is damaged"));
        assert!(refused(&[1, 4]).contains("references[1] is 4, expected a sample's index, 0 to 3"));
        assert!(refused(&[]).contains("references is missing"));
        assert!(refused(&[0; 17]).contains("at most 16 entries"));
    }
}

#[test]
fn a_spec_may_not_refer_to_half_of_the_dataset() {
    let engine = photographs_engine(1);
    let ops = (0..5).map(|op| ops_of(&(op * 16..op * 16 + 16).collect::<Vec<u64>>())[0].clone());
    let refused = refusal(&engine, &spec_of([resize(16)].into_iter().chain(ops), 2));
    assert!(
        refused.contains("ops[5].histogram_matching.references[0] is sample 64, the reference number 65"),
        "{refused}"
    );
}

#[test]
fn views_take_from_the_dataset_too() {
    let engine = photographs_engine(2);
    let [op, ..] = ops_of(&[3]);
    let views = |op: Op| v1::LoaderSpec {
        views: Some(v1::Views { count: 2, ..Default::default() }),
        ..spec_of([resize(16), op], 2)
    };
    assert_eq!(made(&engine, &views(op), &rank(0, 1), &from(0, 0, 1)).len(), 1);
    let [beyond, ..] = ops_of(&[300]);
    assert!(refusal(&engine, &views(beyond)).contains("histogram_matching.references[0] is 300"));
}
