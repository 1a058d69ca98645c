//! Promise: what is in a global batch does not depend on how many ranks share it, so a job can resume with another world size.

mod common;

use common::*;
use feedline::client::{Batch, Loader};
use feedline::engine::Engine;
use feedline_proto::v1;

/// Hashes of the global batches that `world` ranks get together: each tensor's rows put together, and the samples.
fn global_hashes(engine: &Engine, spec: &v1::LoaderSpec, world: u32, delivery: &v1::Delivery) -> Vec<String> {
    let ranks: Vec<_> = (0..world)
        .map(|r| {
            let placement = v1::Placement { allow_uneven: true, ..rank(r, world) };
            made(engine, spec, &placement, delivery)
        })
        .collect();
    let steps = ranks[0].len();
    assert!(ranks.iter().all(|batches| batches.len() == steps), "every rank gets the same number of steps");
    let global = |step: usize| {
        let batches: Vec<_> = ranks.iter().map(|batches| &batches[step]).collect();
        let mut next_row = 0;
        for batch in &batches {
            assert_eq!((batch.cursor, batch.first_row), (batches[0].cursor, next_row), "rows follow each other");
            assert!(batch.tensors.iter().all(|tensor| tensor.shape[0] == batch.rows() as u64));
            next_row += batch.rows() as u32;
        }
        assert!(batches.iter().all(|batch| batch.global_rows == next_row), "all rows are there");
        let mut content = Vec::new();
        for tensor in 0..batches[0].tensors.len() {
            for batch in &batches {
                let tensor = &batch.tensors[tensor];
                content.extend_from_slice(&batch.payload()[tensor.offset as usize..][..tensor.bytes as usize]);
            }
        }
        content.extend(batches.iter().flat_map(|batch| &batch.samples).flat_map(|sample| sample.to_le_bytes()));
        let wrapped = batches.iter().flat_map(|batch| batch.wrapped_rows.iter().map(|row| row + batch.first_row));
        content.extend(wrapped.flat_map(u32::to_le_bytes));
        hash(&content)
    };
    (0..steps).map(global).collect()
}

fn assert_equal_for(worlds: &[u32], spec: &v1::LoaderSpec, delivery: &v1::Delivery) {
    let engine = photographs_engine(2);
    let whole = global_hashes(&engine, spec, 1, delivery);
    for world in worlds {
        assert_eq!(global_hashes(&engine, spec, *world, delivery), whole, "world size {world}");
    }
}

#[test]
fn a_global_batch_is_the_same_for_world_size_1_and_2_and_4() {
    // 96 samples: the fifth batch of 20 has 16 rows.
    assert_equal_for(&[2, 4], &small_spec(20), &from(0, 0, 6));
}

#[test]
fn a_mixed_global_batch_is_the_same_when_ranks_cut_the_mixing_groups() {
    // Ranks of 10 and of 5 rows cut groups of 16, and the short batch's differently; groups of 3 are cut everywhere.
    for kind in [cutmix(), mixup(), mosaic()] {
        assert_equal_for(&[2, 4], &mixed(small_spec(20), kind.clone()), &from(0, 3, 3));
        let mut spec = mixed(small_spec(20), kind);
        spec.mixing.as_mut().expect("mixed").group_size = Some(3);
        assert_equal_for(&[4], &spec, &from(0, 4, 2));
    }
}

#[test]
fn a_global_batch_mixed_once_per_batch_is_the_same_for_every_world_size() {
    let per = v1::DrawPer::Batch.into();
    let cutmix = v1::mixing::Kind::Cutmix(v1::CutMix { per, ..Default::default() });
    let mixup = v1::mixing::Kind::Mixup(v1::MixUp { per, ..Default::default() });
    let mosaic = v1::mixing::Kind::Mosaic(v1::Mosaic { per, ..Default::default() });
    for kind in [cutmix, mixup, mosaic] {
        assert_equal_for(&[2, 4], &mixed(small_spec(20), kind), &from(1, 3, 2));
    }
}

#[test]
fn a_last_batch_with_fewer_rows_than_ranks_leaves_ranks_empty_and_loses_nothing() {
    for spec in [small_spec(32), mixed(small_spec(32), cutmix())] {
        let spec = v1::LoaderSpec { split: "train[0:66]".into(), ..spec };
        assert_equal_for(&[2, 4, 8], &spec, &from(0, 1, 3));
        let engine = photographs_engine(2);
        let shapes = |r| made(&engine, &spec, &rank(r, 8), &from(0, 2, 1))[0].tensors[0].shape.clone();
        assert_eq!(shapes(0), [0, 3, 32, 32], "two rows for eight ranks");
        assert_eq!(shapes(7), [1, 3, 32, 32]);
    }
}

#[test]
fn a_global_batch_of_chosen_samples_is_the_same_for_every_world_size() {
    let chosen: Vec<u32> = (0..66).map(|place| (place * 35 + 7) % 96).collect();
    for spec in [small_spec(20), mixed(small_spec(20), cutmix())] {
        let spec = v1::LoaderSpec { subset: subset(&chosen), ..spec };
        assert_equal_for(&[2, 4, 7], &spec, &from(0, 0, 5));
    }
}

#[test]
fn rows_that_wrap_are_the_same_for_every_world_size() {
    let mut spec = mixed(small_spec(20), mixup());
    spec.set_last_batch(v1::LastBatch::Wrap);
    assert_equal_for(&[2, 4], &spec, &from(0, 3, 3));
}

#[test]
fn uneven_ranks_share_every_row_of_the_same_global_batch() {
    for spec in [small_spec(20), mixed(small_spec(20), cutmix())] {
        assert_equal_for(&[3, 7], &spec, &from(0, 3, 2));
    }
    let engine = photographs_engine(2);
    let refused = engine.resolve(&small_spec(20), &rank(0, 3), &from(0, 0, 1)).expect_err("20 rows for 3 ranks");
    assert!(refused.to_string().contains("such as 18 or 21 (or allow_uneven)"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_resumes_with_another_world_size_continues_exactly() {
    let server = Running::start(photographs_engine(2)).await;
    let spec = mixed(small_spec(20), cutmix());
    let whole = global_hashes(&server.engine, &spec, 1, &from(0, 0, 9));
    // Three steps with two ranks, three with four across the end of the epoch, three with one.
    let (mut cursor, mut hashes) = (v1::Cursor::default(), Vec::new());
    for world in [2, 4, 1] {
        let mut ranks: Vec<Vec<Batch>> = Vec::new();
        let mut cursors = Vec::new();
        for r in 0..world {
            let delivery = v1::Delivery { start: Some(cursor.clone()), count: Some(3), ..Default::default() };
            let loader = Loader { spec: spec.clone(), placement: rank(r, world), delivery };
            let mut stream = server.client().stream(loader).await.expect("a sound request");
            let mut batches = Vec::new();
            while let Some(batch) = stream.next().await.expect("a batch") {
                batches.push(batch);
            }
            cursors.push(stream.cursor().clone());
            ranks.push(batches);
        }
        assert!(cursors.iter().all(|other| *other == cursors[0]), "one cursor serves all ranks");
        cursor = cursors.remove(0);
        for step in 0..3 {
            let mut content = Vec::new();
            for tensor in ["image", "label"] {
                ranks
                    .iter()
                    .for_each(|batches| content.extend_from_slice(batches[step].tensor(tensor).expect("there").1));
            }
            let samples = ranks.iter().flat_map(|batches| batches[step].samples());
            content.extend(samples.flat_map(u64::to_le_bytes));
            hashes.push(hash(&content));
        }
    }
    assert_eq!(hashes, whole);
    server.stop().await;
}
