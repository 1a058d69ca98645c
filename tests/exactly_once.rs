//! Promise: in every epoch every sample comes exactly once, over all ranks together, with its own label.

mod common;

use common::*;
use feedline::client::Loader;
use feedline_proto::v1;

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_comes_exactly_once_per_epoch_with_its_label() {
    let all: Vec<u32> = (0..96).collect();
    every_one_comes_once(small_spec(20), &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_chosen_sample_comes_exactly_once_per_epoch_and_no_other() {
    // 5 is prime to 96: each of the first 81 multiples is another sample.
    let chosen: Vec<u32> = (0..81).map(|place| place * 5 % 96).collect();
    let mut sequential = small_spec(20);
    sequential.set_order(v1::Order::Sequential);
    for spec in [small_spec(20), sequential] {
        every_one_comes_once(v1::LoaderSpec { subset: subset(&chosen), ..spec }, &chosen).await;
    }
}

/// Reads two epochs of five steps by one rank, by two and by four, and compares what came with `expected`.
async fn every_one_comes_once(spec: v1::LoaderSpec, expected: &[u32]) {
    let server = Running::start(photographs_engine(2)).await;
    let mut expected: Vec<_> = expected.iter().map(|sample| (u64::from(*sample), i64::from(sample / 16))).collect();
    expected.sort_unstable();
    for world in [1, 2, 4] {
        for epoch in 0..2 {
            let mut seen = Vec::new();
            for r in 0..world {
                let loader = Loader { spec: spec.clone(), placement: rank(r, world), delivery: from(epoch, 0, 5) };
                for batch in pulled(&server.client(), loader).await {
                    let (_, labels) = batch.tensor("label").expect("there");
                    let labels = labels.as_chunks::<8>().0.iter().map(|x| i64::from_le_bytes(*x));
                    seen.extend(batch.samples().into_iter().zip(labels));
                }
            }
            seen.sort_unstable();
            assert_eq!(seen, expected, "world {world}, epoch {epoch}");
        }
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_wrapping_repeats_are_marked() {
    let server = Running::start(photographs_engine(2)).await;
    let mut spec = small_spec(20);
    spec.set_last_batch(v1::LastBatch::Wrap);
    let loader = Loader { spec, placement: rank(1, 2), delivery: from(0, 4, 1) };
    let batches = pulled(&server.client(), loader).await;
    // 96 samples: the fifth batch has 16 of its own and repeats 4; the second rank has the last 10 rows.
    assert_eq!(batches[0].header.wrapped_rows, [6, 7, 8, 9]);
    server.stop().await;
}
