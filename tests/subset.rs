//! Promise: a spec over a list of samples gives those samples and nothing else of the split, in the order of the list when it is
//! sequential, and is known by the digest of the list.

mod common;

use common::*;
use feedline::client::{Batch, Loader};
use feedline::source::{Entry, ListedSplit, Listing, Location};
use feedline::store::Mode;
use feedline_proto::v1::{self, op::Op};

/// By index or by the list, resized without chance: a row is a function of the sample that is in it.
fn sequential(global_batch_size: u32) -> v1::LoaderSpec {
    let mut spec = spec_of([Op::Resize(v1::Resize { height: 16, width: 16, ..Default::default() })], global_batch_size);
    spec.set_order(v1::Order::Sequential);
    spec
}

fn chosen(spec: v1::LoaderSpec, indices: &[u32]) -> v1::LoaderSpec {
    v1::LoaderSpec { subset: subset(indices), ..spec }
}

fn loader(spec: v1::LoaderSpec, delivery: v1::Delivery) -> Loader {
    Loader { spec, placement: rank(0, 1), delivery }
}

/// Sample, pixels and label of every row.
fn rows(batches: &[Batch]) -> Vec<(u64, Vec<u8>, Vec<u8>)> {
    let of_batch = |batch: &Batch| {
        let samples = batch.samples();
        let [images, labels] = ["image", "label"].map(|name| batch.tensor(name).expect("there").1.to_vec());
        let (row, rows) = (images.len() / samples.len(), samples.len());
        let image = move |at: usize| images[at * row..][..row].to_vec();
        let rows = (0..rows).map(|at| (samples[at], image(at), labels[at * 8..][..8].to_vec()));
        rows.collect::<Vec<_>>()
    };
    batches.iter().flat_map(of_batch).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_is_that_of_the_whole_split_without_the_others() {
    let server = Running::start(photographs_engine(2)).await;
    let client = server.client();
    let whole = rows(&pulled(&client, loader(sequential(20), from(0, 0, 5))).await);
    let rising: Vec<u32> = (0..96).filter(|index| index % 7 != 3).collect();
    let expected: Vec<_> = whole.iter().filter(|(sample, ..)| sample % 7 != 3).cloned().collect();
    let steps = (rising.len() as u64).div_ceil(20);
    let got = rows(&pulled(&client, loader(chosen(sequential(20), &rising), from(0, 0, steps))).await);
    assert_eq!(got, expected);
    // In another order it is that of the list, and the same in every epoch.
    let list = [90, 3, 17, 4, 0, 95, 16];
    let expected: Vec<_> = list.iter().map(|index| whole[*index as usize].clone()).collect();
    let got = rows(&pulled(&client, loader(chosen(sequential(4), &list), from(0, 0, 4))).await);
    assert_eq!(got, [&expected[..], &expected].concat());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resolved_spec_has_the_digest_in_place_of_the_list() {
    let server = Running::start(photographs_engine(1)).await;
    let client = server.client();
    let described = async |spec: v1::LoaderSpec| client.describe(&loader(spec, from(0, 0, 1))).await.expect("sound");
    let list = [90, 3, 17, 4, 0, 95, 16];
    let description = described(chosen(sequential(4), &list)).await;
    assert_eq!((description.samples, description.steps_per_epoch), (7, 2));
    let resolved = description.spec.clone().and_then(|spec| spec.subset).expect("a subset");
    assert_eq!((resolved.indices.len(), resolved.digest), (0, feedline::plan::digest(&list)));
    // With the list put back beside its digest, it is the same spec again.
    let mut again = description.spec.clone().expect("resolved");
    again.subset.get_or_insert_default().indices = list.to_vec();
    assert_eq!(described(again).await, description);
    let fingerprint = description.spec_fingerprint;
    for other in [&[90, 3, 17, 4, 0, 16, 95][..], &[90, 3, 17, 4, 0, 95], &[90, 3, 17, 4, 0, 95, 15]] {
        assert_ne!(described(chosen(sequential(4), other)).await.spec_fingerprint, fingerprint, "{other:?}");
    }
    // All of the split by name and all of it by a list are the same rows, but not the same spec.
    let all: Vec<u32> = (0..96).collect();
    assert_ne!(
        described(chosen(sequential(4), &all)).await.spec_fingerprint,
        described(sequential(4)).await.spec_fingerprint
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_samples_fit_into_a_request() {
    const SAMPLES: u32 = 1_300_000;
    let server = Running::start(engine(loaded(dots(SAMPLES), Mode::Encoded), 2)).await;
    // More than ImageNet's training set has, the last ones first; four million bytes at most.
    let indices: Vec<u32> = (SAMPLES - 1_000_000..SAMPLES).rev().collect();
    let spec = chosen(sequential(1000), &indices);
    let batches = pulled(&server.client(), loader(spec.clone(), from(0, 999, 1))).await;
    let expected: Vec<u64> = (u64::from(SAMPLES) - 1_000_000..u64::from(SAMPLES) - 999_000).rev().collect();
    assert_eq!(batches[0].samples(), expected);
    // What it keeps of the list is counted with its batches.
    let delivery = from(0, 0, 1);
    let bytes = |spec| server.engine.resolve(spec, &rank(0, 1), &delivery).expect("sound").batch_bytes();
    assert_eq!(bytes(&spec) - bytes(&sequential(1000)), 4_000_000);
    server.stop().await;
}

/// So many samples of one pixel, without classes.
fn dots(samples: u32) -> Listing {
    const DOT: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
    let entry = |number: u32| Entry {
        key: format!("{number:07}.gif"),
        label: -1,
        location: Location::Embedded(DOT),
        bytes: DOT.len() as u64,
    };
    let entries = (0..samples).map(entry).collect();
    Listing {
        name: "dots".into(),
        classes: Vec::new(),
        box_classes: Vec::new(),
        keypoint_names: Vec::new(),
        splits: vec![ListedSplit { name: "train".into(), entries, annotations: None }],
        ignored: Vec::new(),
    }
}
