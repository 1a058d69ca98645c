//! Promise: work that several clients want is done once, and work that nobody wants any more is not done.

mod common;

use std::time::{Duration, Instant};

use common::*;
use feedline::client::Loader;
use feedline::engine::{Engine, Session, Snapshot};
use feedline::store::{self, LoadOptions, Mode};
use feedline_proto::v1;

fn open(engine: &Engine, spec: &v1::LoaderSpec, delivery: &v1::Delivery) -> Session {
    engine.open(engine.resolve(spec, &rank(0, 1), delivery).expect("a sound request")).expect("admitted")
}

/// The payload's hash of the next batch.
fn next(session: &mut Session) -> Option<String> {
    session.next_blocking().map(|batch| hash(batch.expect("made").payload()))
}

/// Waits until a worker that ends its last row lets go of it: there is no event for that, only the counter.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "still not so: {what}");
        std::thread::yield_now();
    }
}

/// The counters when every worker has let go of what it made, and nobody holds a batch.
fn settled(engine: &Engine) -> Snapshot {
    eventually("all memory is free", || engine.statistics().batch_bytes == 0);
    engine.statistics()
}

#[test]
fn equal_sessions_in_lock_step_get_every_batch_from_one_making() {
    for spec in [small_spec(20), mixed(small_spec(20), cutmix())] {
        let engine = photographs_engine(2);
        let mut sessions: Vec<_> = (0..4).map(|_| open(&engine, &spec, &from(0, 0, 10))).collect();
        for _ in 0..10 {
            let got: Vec<_> = sessions.iter_mut().map(|session| next(session).expect("ten of them")).collect();
            assert!(got.iter().all(|hash| *hash == got[0]));
        }
        assert!(sessions.iter_mut().all(|session| next(session).is_none()));
        let counted = settled(&engine);
        assert_eq!((counted.batches, counted.shared, counted.taken), (10, 30, 40));
        assert_eq!((counted.rows, counted.decodes), (2 * 96, 2 * 96), "each row once");
    }
}

#[test]
fn sessions_that_differ_in_part_size_and_prefetch_and_stride_share_too() {
    let engine = photographs_engine(2);
    let mut plain = open(&engine, &small_spec(20), &from(0, 0, 4));
    let other = v1::Delivery {
        stride: Some(3),
        part_bytes: Some(4096),
        prefetch_bytes: Some(1 << 30),
        bad_sample_budget: Some(1),
        ..from(0, 0, 2)
    };
    let mut strided = open(&engine, &small_spec(20), &other);
    let all: Vec<_> = std::iter::from_fn(|| next(&mut plain)).collect();
    let some: Vec<_> = std::iter::from_fn(|| next(&mut strided)).collect();
    assert_eq!(some, [all[0].clone(), all[3].clone()]);
    assert_eq!((settled(&engine).batches, settled(&engine).shared), (4, 2));
}

#[test]
fn sessions_that_differ_in_rows_or_form_share_nothing() {
    let engine = photographs_engine(2);
    let spec = small_spec(20);
    let one = from(0, 0, 1);
    let deliveries = [
        one.clone(),
        v1::Delivery { dtype: v1::Dtype::Fp16.into(), ..one.clone() },
        v1::Delivery { layout: v1::Layout::Nhwc.into(), ..one.clone() },
        v1::Delivery { bad_samples: v1::BadSamples::Substitute.into(), ..one.clone() },
    ];
    let mut sessions: Vec<_> = deliveries.iter().map(|delivery| open(&engine, &spec, delivery)).collect();
    for placement in [rank(0, 2), rank(1, 2)] {
        sessions.push(engine.open(engine.resolve(&spec, &placement, &one).expect("sound")).expect("admitted"));
    }
    sessions.push(open(&engine, &v1::LoaderSpec { seed: 8, ..spec.clone() }, &one));
    for session in &mut sessions {
        next(session).expect("one");
    }
    assert_eq!((settled(&engine).batches, settled(&engine).shared), (7, 0));
}

#[test]
fn a_later_session_gets_what_is_still_there_and_what_is_gone_is_made_again() {
    let engine = photographs_engine(2);
    let mut first = open(&engine, &small_spec(20), &from(0, 0, 5));
    let mut expected = vec![next(&mut first).expect("there"), next(&mut first).expect("there")];
    // Batches 0 and 1 are taken and gone; 2 to 4 are made ahead for the first session, and for the second too.
    let ahead = 3 * first.request().batch_bytes();
    eventually("two batches are gone", || engine.statistics().batch_bytes == ahead);
    let mut second = open(&engine, &small_spec(20), &from(0, 0, 5));
    expected.extend(std::iter::from_fn(|| next(&mut first)));
    let got: Vec<_> = std::iter::from_fn(|| next(&mut second)).collect();
    assert_eq!(got, expected);
    assert_eq!((settled(&engine).batches, settled(&engine).shared), (7, 3));
}

#[test]
fn a_batch_stays_until_the_last_session_behind_has_it() {
    let engine = photographs_engine(2);
    // Both are there from the start, but the second makes one batch ahead only, so it comes late to the others.
    let mut second = open(&engine, &small_spec(20), &v1::Delivery { prefetch_bytes: Some(0), ..from(0, 0, 5) });
    let mut first = open(&engine, &small_spec(20), &from(0, 0, 5));
    let expected: Vec<_> = std::iter::from_fn(|| next(&mut first)).collect();
    let got: Vec<_> = std::iter::from_fn(|| next(&mut second)).collect();
    assert_eq!(got, expected);
    assert_eq!(settled(&engine).batches, 5, "each once, and nothing is kept for nobody");
}

#[test]
fn batches_kept_for_a_session_that_leaves_are_freed() {
    let engine = photographs_engine(2);
    let behind = open(&engine, &small_spec(20), &v1::Delivery { prefetch_bytes: Some(0), ..from(0, 0, 5) });
    let mut ahead = open(&engine, &small_spec(20), &from(0, 0, 5));
    while next(&mut ahead).is_some() {}
    let all = 5 * behind.request().batch_bytes();
    assert_eq!(engine.statistics().batch_bytes, all, "the session behind has yet to come to them");
    drop(behind);
    assert_eq!(settled(&engine).batches, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_for_a_client_that_vanishes_stops_within_its_batch() {
    let server = Running::start(photographs_engine(1)).await;
    let engine = &server.engine;
    let heavy = spec("imagenet-train", 96);
    let endless = Loader { spec: heavy, placement: rank(0, 1), delivery: v1::Delivery::default() };
    let mut stream = server.client().stream(endless).await.expect("a sound request");
    let first = stream.next().await.expect("a batch").expect("without end");
    assert_eq!(first.samples().len(), 96);
    drop(stream);
    let deadline = tokio::time::timeout(Duration::from_secs(60), async {
        while engine.statistics().sessions > 0 {
            tokio::task::yield_now().await;
        }
    });
    deadline.await.expect("the server notices that the client is gone");
    let at_most = engine.statistics().rows + 1;
    // The only worker comes to this batch when it has left whatever it was at; so nothing of the other is made after it.
    let rows = tokio::task::block_in_place(|| made(engine, &small_spec(16), &rank(0, 1), &from(0, 0, 1))[0].rows());
    let counted = settled(engine);
    assert!(counted.rows <= at_most + rows as u64, "{} rows, expected at most {at_most} + {rows}", counted.rows);
    assert!(counted.abandoned > 0, "what was begun for it is given up");
    server.stop().await;
}

#[test]
fn a_dropped_session_frees_the_bytes_of_every_batch_begun_for_it() {
    for spec in [small_spec(96), mixed(small_spec(96), mixup())] {
        let engine = photographs_engine(2);
        let request = engine.resolve(&spec, &rank(0, 1), &from(0, 0, 100)).expect("a sound request");
        let one = request.batch_bytes();
        let session = engine.open(request).expect("admitted");
        assert!(engine.statistics().batch_bytes >= 2 * one, "it makes ahead");
        drop(session);
        let before = settled(&engine).rows;
        made_hashes(&engine, &spec, &from(0, 0, 1));
        assert_eq!(settled(&engine).rows - before, 96, "and nothing else is being made");
    }
}

#[test]
fn a_shared_batch_survives_the_session_that_began_it() {
    let engine = photographs_engine(2);
    let expected = made_hashes(&photographs_engine(2), &small_spec(20), &from(0, 0, 5));
    let first = open(&engine, &small_spec(20), &from(0, 0, 5));
    let mut second = open(&engine, &small_spec(20), &from(0, 0, 5));
    drop(first);
    let got: Vec<_> = std::iter::from_fn(|| next(&mut second)).collect();
    assert_eq!(got, expected);
    let counted = settled(&engine);
    assert_eq!((counted.batches, counted.shared, counted.abandoned), (5, 5, 0));
}

#[test]
fn with_store_auto_the_second_epoch_decodes_only_what_did_not_fit() {
    let memory = loaded(photographs(), Mode::Auto).memory();
    for share in [0, 1, 2, 3] {
        let budget = memory.encoded + memory.index + share * memory.decoded_budget / 3;
        let options = LoadOptions { mode: Mode::Auto, budget, max_pixels: 89_478_485, threads: 2 };
        let engine = engine(store::load(vec![photographs()], &options, &|_| {}).expect("it fits").remove(0), 2);
        made(&engine, &small_spec(20), &rank(0, 1), &from(0, 0, 5));
        assert_eq!(engine.statistics().decodes, 96, "each is decoded at first touch");
        let split = &engine.datasets()[0].splits[0];
        let kept = (0..split.len()).filter(|index| split.decoded(*index).is_some()).count() as u64;
        match share {
            0 => assert_eq!(kept, 0),
            3 => assert_eq!(kept, 96),
            _ => assert!(kept.abs_diff(96 * share / 3) <= 8, "{kept} of 96 are kept with {share} thirds"),
        }
        for epoch in 1..3_u64 {
            made(&engine, &small_spec(20), &rank(0, 1), &from(epoch as u32, 0, 5));
            let counted = engine.statistics();
            assert_eq!((counted.decoded_hits, counted.decodes), (epoch * kept, 96 + epoch * (96 - kept)));
        }
    }
}
