//! Promise: a stream can be left at any step and gone on with from its cursor, by one client or by several.
#![allow(clippy::panic)] // A helper of tests may.

mod common;

use common::*;
use feedline::client::{Batch, Client, ClientError, Loader};
use feedline_proto::v1;
use tonic::Code;

fn loader(spec: &v1::LoaderSpec, delivery: v1::Delivery) -> Loader {
    Loader { spec: spec.clone(), placement: rank(0, 1), delivery }
}

fn starting(start: v1::Cursor, count: u64) -> v1::Delivery {
    v1::Delivery { start: Some(start), count: Some(count), ..Default::default() }
}

/// 96 samples in batches of 20, mixed: five steps, the last one short.
fn spec_of_five_steps() -> v1::LoaderSpec {
    mixed(small_spec(20), mixup())
}

/// The batches of two epochs in one piece, and the server they come from.
async fn in_one_piece(spec: &v1::LoaderSpec) -> (Running, Vec<Batch>) {
    let server = Running::start(photographs_engine(2)).await;
    let whole = pulled(&server.client(), loader(spec, from(0, 0, 10))).await;
    assert_eq!(whole.len(), 10);
    (server, whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_resumed_at_any_step_equals_one_in_one_piece() {
    let (server, whole) = in_one_piece(&spec_of_five_steps()).await;
    for (step, batch) in whole.iter().enumerate().take(9) {
        let next = batch.header.next.clone().expect("there are more epochs");
        assert!(!next.dataset_fingerprint.is_empty() && !next.spec_fingerprint.is_empty());
        let rest = pulled(&server.client(), loader(&spec_of_five_steps(), starting(next, 9 - step as u64))).await;
        assert_eq!(hashes(&rest), hashes(&whole[step + 1..]), "resumed after batch {step}");
        let headers = |batches: &[Batch]| batches.iter().map(|batch| batch.header.clone()).collect::<Vec<_>>();
        assert_eq!(headers(&rest), headers(&whole[step + 1..]));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cursor_of_a_stream_is_where_the_next_one_goes_on() {
    let (server, whole) = in_one_piece(&spec_of_five_steps()).await;
    let client = server.client();
    let (mut cursor, mut got) = (v1::Cursor::default(), Vec::new());
    // Endless streams that are dropped after some batches, as by a trainer that dies.
    for batches in [1, 3, 2, 4] {
        let delivery = v1::Delivery { start: Some(cursor), ..Default::default() };
        let mut stream = client.stream(loader(&spec_of_five_steps(), delivery)).await.expect("a sound request");
        for _ in 0..batches {
            got.push(stream.next().await.expect("a batch").expect("without end"));
        }
        cursor = stream.cursor().clone();
    }
    assert_eq!(hashes(&got), hashes(&whole));
    assert_eq!((cursor.epoch, cursor.step), (2, 0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_epoch_is_the_start_of_the_next() {
    let (server, whole) = in_one_piece(&spec_of_five_steps()).await;
    for start in [from(0, 5, 3), from(1, 0, 3)] {
        let batches = pulled(&server.client(), loader(&spec_of_five_steps(), start)).await;
        assert_eq!(hashes(&batches), hashes(&whole[5..8]));
        assert_eq!((batches[0].header.epoch, batches[0].header.step), (1, 0));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_with_a_stride_restore_the_order_round_robin() {
    let (server, whole) = in_one_piece(&spec_of_five_steps()).await;
    for stride in [2, 3, 5, 7] {
        let mut workers = Vec::new();
        for worker in 0..u64::from(stride) {
            // Worker i of n takes i, i + n, ... of ten steps in two epochs.
            let count = (10 - worker).div_ceil(u64::from(stride));
            let delivery = v1::Delivery { stride: Some(stride), ..from((worker / 5) as u32, worker % 5, count) };
            workers.push(pulled(&server.client(), loader(&spec_of_five_steps(), delivery)).await.into_iter());
        }
        let together: Vec<Batch> =
            (0..10).map(|step| workers[step % stride as usize].next().expect("one more")).collect();
        assert_eq!(hashes(&together), hashes(&whole), "stride {stride}");
        let next = together[1].header.next.as_ref().expect("there are more epochs");
        let after = 1 + u64::from(stride);
        assert_eq!((u64::from(next.epoch), next.step), (after / 5, after % 5), "the cursor keeps the stride");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn count_1_is_random_access() {
    let (server, whole) = in_one_piece(&spec_of_five_steps()).await;
    for step in [7, 0, 9, 4, 4, 1] {
        let delivery = from(step / 5, u64::from(step % 5), 1);
        let batches = pulled(&server.client(), loader(&spec_of_five_steps(), delivery)).await;
        assert_eq!(hashes(&batches), hashes(&whole[step as usize..=step as usize]));
    }
    assert!(pulled(&server.client(), loader(&spec_of_five_steps(), from(0, 0, 0))).await.is_empty());
    server.stop().await;
}

async fn refusal(client: &Client, spec: &v1::LoaderSpec, start: v1::Cursor) -> (Code, String) {
    match client.stream(loader(spec, starting(start, 1))).await {
        Err(ClientError::Refused { code, message }) => (code, message),
        other => panic!("{other:?} in place of a refusal"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_dataset_is_refused_naming_it() {
    let server = Running::start(photographs_engine(2)).await;
    let mut fewer = photographs();
    fewer.splits[0].entries.pop();
    let other = Running::start(engine(loaded(fewer, feedline::store::Mode::Encoded), 1)).await;
    let batch = pulled(&other.client(), loader(&small_spec(20), from(0, 0, 1))).await.remove(0);
    let cursor = batch.header.next.expect("there are more steps");
    let (code, message) = refusal(&server.client(), &small_spec(20), cursor.clone()).await;
    assert_eq!(code, Code::FailedPrecondition);
    let expected = server.engine.datasets()[0].fingerprint.as_str();
    for part in ["cursor's dataset_fingerprint", cursor.dataset_fingerprint.as_str(), expected, "another dataset"] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    // So is a spec that insists on the other dataset, wherever it starts.
    let spec = v1::LoaderSpec { dataset_fingerprint: cursor.dataset_fingerprint, ..small_spec(20) };
    let (code, message) = refusal(&server.client(), &spec, v1::Cursor::default()).await;
    assert!(code == Code::FailedPrecondition && message.contains("spec.dataset_fingerprint"), "{message}");
    other.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_spec_is_refused_naming_it() {
    let server = Running::start(photographs_engine(2)).await;
    let batch = pulled(&server.client(), loader(&small_spec(20), from(0, 0, 1))).await.remove(0);
    let cursor = batch.header.next.expect("there are more steps");
    let others = [
        v1::LoaderSpec { seed: 8, ..small_spec(20) },
        v1::LoaderSpec { split: "train[:50%]".into(), ..small_spec(20) },
        small_spec(24),
        mixed(small_spec(20), cutmix()),
        spec("imagenet-train", 20),
    ];
    for other in others {
        let (code, message) = refusal(&server.client(), &other, cursor.clone()).await;
        assert_eq!(code, Code::FailedPrecondition);
        for part in ["cursor's spec_fingerprint", cursor.spec_fingerprint.as_str(), "another loader spec"] {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
    // What is outside of the spec may change: ranks, dtype, layout, policy.
    let delivery = v1::Delivery {
        dtype: v1::Dtype::Uint8.into(),
        layout: v1::Layout::Nhwc.into(),
        bad_samples: v1::BadSamples::Substitute.into(),
        ..starting(cursor, 1)
    };
    let again = Loader { spec: small_spec(20), placement: rank(1, 2), delivery };
    assert_eq!(pulled(&server.client(), again).await[0].header.step, 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_over_chosen_samples_is_gone_on_with_by_the_same_list_alone() {
    let chosen: Vec<u32> = (0..90).map(|place| (place * 35 + 7) % 96).collect();
    let spec_over = |list: &[u32]| v1::LoaderSpec { subset: subset(list), ..spec_of_five_steps() };
    let spec = spec_over(&chosen);
    let (server, whole) = in_one_piece(&spec).await;
    for (step, batch) in whole.iter().enumerate().take(9) {
        let next = batch.header.next.clone().expect("there are more epochs");
        let rest = pulled(&server.client(), loader(&spec, starting(next, 9 - step as u64))).await;
        assert_eq!(hashes(&rest), hashes(&whole[step + 1..]), "resumed after batch {step}");
    }
    let cursor = whole[0].header.next.clone().expect("there are more steps");
    let turned: Vec<u32> = chosen.iter().rev().copied().collect();
    for other in [spec_over(&turned), spec_over(&chosen[1..]), spec_of_five_steps()] {
        let (code, message) = refusal(&server.client(), &other, cursor.clone()).await;
        assert!(code == Code::FailedPrecondition && message.contains("another loader spec (samples,"), "{message}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_beyond_the_epoch_is_refused_naming_the_range() {
    let server = Running::start(photographs_engine(2)).await;
    for (epoch, step, found) in [(0, 6, "step is 6, expected 0 to 5"), (u32::MAX, 5, "beyond the last epoch")] {
        let cursor = v1::Cursor { epoch, step, ..Default::default() };
        let (code, message) = refusal(&server.client(), &small_spec(20), cursor).await;
        assert!(code == Code::InvalidArgument && message.contains(found), "{code:?} {message}");
    }
    // The last step there can be is given, and the stream ends after it.
    let last = pulled(&server.client(), loader(&small_spec(20), from(u32::MAX, 4, 2))).await;
    assert_eq!(last.iter().map(|batch| batch.header.next.clone()).collect::<Vec<_>>(), [None]);
    server.stop().await;
}
