//! Promise: in every epoch every sample comes exactly once, over all ranks together, with its own label.

mod common;

use common::*;
use feedline::client::Loader;
use feedline_proto::v1;

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_comes_exactly_once_per_epoch_with_its_label() {
    let server = Running::start(photographs_engine(2)).await;
    let spec = small_spec(20);
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
            let expected: Vec<(u64, i64)> = (0..96).map(|sample| (sample, sample as i64 / 16)).collect();
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
