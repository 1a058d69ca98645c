//! Promise: a slow, stalled or dead client costs the others nothing, and all batches together never take more than their
//! budget.

mod common;
#[path = "common/process.rs"]
mod process;
#[path = "common/raw.rs"]
mod raw;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use common::*;
use feedline::client::Loader;
use feedline::engine::{Engine, Options, Session};
use feedline::store::Mode;
use feedline_proto::v1::{self, op::Op};
use process::{DEADLINE, Serving, write_photographs};
use raw::{next, raw, request};
use tokio::task::JoinSet;
use tonic::{Code, Streaming};

/// Bytes of a batch of `spec_of_seed`: 20 rows of 32x32x3 floats, and their labels.
const BATCH: u64 = 20 * 32 * 32 * 3 * 4 + 192;

/// Quick to make. Specs of different seeds share no batch.
fn spec_of_seed(seed: u64) -> v1::LoaderSpec {
    v1::LoaderSpec { seed, ..cropped(32, 20) }
}

/// Windows of the photographs.
fn cropped(side: u32, rows: u32) -> v1::LoaderSpec {
    spec_of([Op::RandomCrop(v1::RandomCrop { height: side, width: side, ..Default::default() })], rows)
}

fn engine_within(batch_budget: u64) -> Engine {
    let options = Options { threads: 2, batch_budget, ..Options::default() };
    Engine::new(vec![loaded(photographs(), Mode::Encoded)], BTreeMap::new(), options).expect("threads")
}

fn prefetching(bytes: u64) -> v1::Delivery {
    v1::Delivery { prefetch_bytes: Some(bytes), ..Default::default() }
}

fn session(engine: &Engine, seed: u64, delivery: &v1::Delivery) -> Session {
    let request = engine.resolve(&spec_of_seed(seed), &rank(0, 1), delivery).expect("sound");
    engine.open(request).expect("admitted")
}

/// The hashes of the next `count` batches.
fn taken(session: &mut Session, count: usize) -> Vec<String> {
    (0..count).map(|_| hash(session.next_blocking().expect("endless").expect("made").payload())).collect()
}

/// The hashes that an epoch of `seed` must have.
fn expected(seed: u64) -> Vec<String> {
    made_hashes(&photographs_engine(2), &spec_of_seed(seed), &from(0, 0, 5))
}

/// Waits until `wanted` holds of the bytes of all batches.
async fn batch_bytes(engine: &Engine, wanted: impl Fn(u64) -> bool) {
    let held = async {
        while !wanted(engine.statistics().batch_bytes) {
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(DEADLINE, held).await;
    assert!(found.is_ok(), "batches take {} bytes", engine.statistics().batch_bytes);
}

/// Opens a stream over `client`'s connection, reads one part of it and no more.
async fn stalled(client: &mut raw::Raw, seed: u64, delivery: v1::Delivery) -> Streaming<v1::BatchPart> {
    let delivery = v1::Delivery { part_bytes: Some(4096), ..delivery };
    let mut stream = client.stream(request(spec_of_seed(seed), rank(0, 1), delivery)).await.expect("ok").into_inner();
    stream.message().await.expect("no failure").expect("a part");
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_holds_its_prefetch_and_others_go_on() {
    let server = Running::start(engine_within(1 << 30)).await;
    let (prefetch, held) = (12 * BATCH + BATCH / 2, 13 * BATCH);
    let mut client = raw(&server.address).await;
    let mut stream = stalled(&mut client, 1, prefetching(prefetch)).await;
    // Twelve batches fit its prefetch, one is being sent; so much it comes to, and stays at.
    batch_bytes(&server.engine, |bytes| bytes == held).await;
    for seed in 2..5 {
        let mut reader = raw(&server.address).await;
        let delivery = v1::Delivery { prefetch_bytes: Some(BATCH), ..from(0, 0, 5) };
        let mut other =
            reader.stream(request(spec_of_seed(seed), rank(0, 1), delivery)).await.expect("ok").into_inner();
        let mut hashes = Vec::new();
        while let Some(batch) = next(&mut other, 1 << 20).await.expect("no failure") {
            hashes.push(hash(&batch.payload));
            let bytes = server.engine.statistics().batch_bytes;
            // One is being sent, one made; and each of two workers may not have let go of its last one yet.
            assert!((held..=held + 4 * BATCH).contains(&bytes), "{bytes} bytes, of which {held} are held");
        }
        assert_eq!(hashes, expected(seed));
    }
    // It has missed nothing when it comes back: the batch whose first part it has, and those that follow.
    let mut arrived = 4096;
    while arrived < BATCH {
        arrived += stream.message().await.expect("no failure").expect("a part").data.len() as u64;
    }
    let mut hashes = Vec::new();
    for _ in 1..5 {
        hashes.push(hash(&next(&mut stream, 4096).await.expect("no failure").expect("endless").payload));
    }
    assert_eq!(hashes, expected(1)[1..]);
    // When it is gone, so is what it held.
    drop((stream, client));
    batch_bytes(&server.engine, |bytes| bytes == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_refused_if_its_batch_does_not_fit_beside_one_of_every_other() {
    let server = Running::start(engine_within(3 * BATCH + BATCH / 2)).await;
    let mut client = raw(&server.address).await;
    let mut streams = Vec::new();
    for seed in 0..3 {
        streams.push(stalled(&mut raw(&server.address).await, seed, prefetching(1 << 30)).await);
    }
    let fourth = request(spec_of_seed(3), rank(0, 1), from(0, 0, 5));
    let status = client.stream(fourth.clone()).await.expect_err("three and a half fit");
    assert_eq!(status.code(), Code::ResourceExhausted);
    let (needed, there) = (4 * BATCH, 3 * BATCH + BATCH / 2);
    for text in [
        &format!("bytes of one batch of every stream would be {needed}"),
        &format!("room for {there}"),
        "--batch-budget",
    ] {
        assert!(status.message().contains(text), "{status:?}");
    }
    // Our client waits for its turn, and gets it when another one leaves.
    let loader = Loader { spec: spec_of_seed(3), delivery: from(0, 0, 5), ..Default::default() };
    let waiting = tokio::spawn(async move { (pulled(&server.client(), loader).await, server) });
    drop(streams.pop());
    let (batches, server) = waiting.await.expect("no panic");
    assert_eq!(hashes(&batches), expected(3));
    assert!(server.engine.statistics().batch_bytes <= there);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_beyond_their_number_are_refused() {
    let options = Options { threads: 1, max_sessions: 2, batch_budget: 1 << 30, ..Options::default() };
    let engine = Engine::new(vec![loaded(photographs(), Mode::Encoded)], BTreeMap::new(), options).expect("threads");
    let first = (session(&engine, 0, &prefetching(0)), session(&engine, 0, &prefetching(0)));
    let request = || engine.resolve(&spec_of_seed(0), &rank(0, 1), &prefetching(0)).expect("sound");
    let error = engine.open(request()).err().expect("two are allowed").to_string();
    assert_eq!(error, "the number of streams would be 3, the server has room for 2: try later");
    drop(first.0);
    engine.open(request()).expect("one left");
}

#[tokio::test(flavor = "multi_thread")]
async fn borrowed_memory_is_taken_back_and_made_anew() {
    let engine = engine_within(4 * BATCH);
    // Alone, a session borrows all there is.
    let mut greedy = session(&engine, 1, &prefetching(1 << 30));
    batch_bytes(&engine, |bytes| bytes == 4 * BATCH).await;
    let others: Vec<_> = (2..5).map(|seed| (seed, session(&engine, seed, &prefetching(1 << 30)))).collect();
    let threads: Vec<_> = others
        .into_iter()
        .map(|(seed, mut session)| std::thread::spawn(move || assert_eq!(taken(&mut session, 5), expected(seed))))
        .collect();
    for thread in threads {
        tokio::task::spawn_blocking(|| thread.join()).await.expect("no panic").expect("the others get all of theirs");
    }
    assert_eq!(taken(&mut greedy, 5), expected(1), "what was taken back is made anew");
}

#[test]
fn batches_never_take_more_than_their_budget() {
    let budget = 5 * BATCH + BATCH / 3;
    let engine = engine_within(budget);
    let over = AtomicBool::new(false);
    let most = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut most = 0;
            while !over.load(Ordering::Acquire) {
                most = engine.statistics().batch_bytes.max(most);
                std::thread::yield_now();
            }
            most
        });
        // Four that read at their own pace, of which two share their batches, with every prefetch.
        let readers: Vec<_> = [(1, 0), (1, 3 * BATCH), (2, 1 << 30), (3, 2 * BATCH)]
            .map(|(seed, prefetch)| (seed, session(&engine, seed, &prefetching(prefetch))))
            .into_iter()
            .map(|(seed, mut session)| {
                let engine = &engine;
                scope.spawn(move || {
                    let mut hashes = Vec::new();
                    for _ in 0..5 {
                        let batch = session.next_blocking().expect("endless").expect("made");
                        let bytes = engine.statistics().batch_bytes;
                        assert!((BATCH..=budget).contains(&bytes), "{bytes} of {budget} bytes");
                        hashes.push(hash(batch.payload()));
                    }
                    assert_eq!(hashes, expected(seed), "seed {seed}");
                })
            })
            .collect();
        let failed = readers.into_iter().filter_map(|reader| reader.join().err()).count();
        over.store(true, Ordering::Release);
        assert_eq!(failed, 0, "readers failed");
        watch.join().expect("no panic")
    });
    assert!((2 * BATCH..=budget).contains(&most), "{most} of {budget} bytes");
    assert_eq!(engine.statistics().sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_and_fifty_idle_clients_do_not_stop_fifty_others() {
    let server = Running::start(engine_within(256 * BATCH)).await;
    let mut idle = Vec::new();
    for client in 0..150 {
        let mut connection = raw(&server.address).await;
        idle.push((stalled(&mut connection, client % 5, prefetching(4 * BATCH)).await, connection));
    }
    let mut readers = JoinSet::new();
    for client in 0..50 {
        let (address, seed) = (server.address.clone(), client % 10);
        readers.spawn(async move {
            let loader = Loader { spec: spec_of_seed(seed), delivery: from(0, 0, 5), ..Default::default() };
            (seed, hashes(&pulled(&common::client(&address), loader).await))
        });
    }
    let expected: Vec<_> = (0..10).map(expected).collect();
    let mut finished = 0;
    while let Some(read) = tokio::time::timeout(DEADLINE, readers.join_next()).await.expect("nobody waits for ever") {
        let (seed, hashes) = read.expect("no panic");
        assert_eq!(hashes, expected[seed as usize], "seed {seed}");
        finished += 1;
        assert!(server.engine.statistics().batch_bytes <= 256 * BATCH);
    }
    assert_eq!(finished, 50);
    drop(idle);
    batch_bytes(&server.engine, |bytes| bytes == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_share_batches_under_a_tight_budget_get_all_of_theirs() {
    // Hardly more than a batch for each, so that every prefetch is taken back again and again.
    let server = Running::start(engine_within(39 * BATCH)).await;
    let mut idle = Vec::new();
    for seed in 0..10 {
        idle.push(stalled(&mut raw(&server.address).await, seed, prefetching(1 << 30)).await);
    }
    let mut readers = JoinSet::new();
    for client in 0..28 {
        let (address, seed) = (server.address.clone(), client % 4);
        readers.spawn(async move {
            let mut client = raw(&address).await;
            let request = request(spec_of_seed(seed), rank(0, 1), from(0, 0, 5));
            let mut stream = client.stream(request).await.expect("admitted").into_inner();
            let mut hashes = Vec::new();
            while let Some(batch) = next(&mut stream, 1 << 20).await.expect("no failure") {
                hashes.push(hash(&batch.payload));
            }
            (seed, hashes)
        });
    }
    let expected: Vec<_> = (0..4).map(expected).collect();
    while let Some(read) = tokio::time::timeout(DEADLINE, readers.join_next()).await.expect("nobody waits for ever") {
        let (seed, hashes) = read.expect("no panic");
        assert_eq!(hashes, expected[seed as usize], "seed {seed}");
    }
}

/// The peak of the memory of a process.
fn peak(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("a live process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("there");
    line.trim().strip_suffix("kB").expect("its unit").trim().parse::<u64>().expect("a number") * 1024
}

/// Serves the photographs with `args`, and holds the program's memory against what it announced after `load` has been done.
#[cfg(target_os = "linux")]
async fn keeps_to_its_memory(args: &[&str], load: impl AsyncFnOnce(&str)) {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(folder.path());
    let path = folder.path().to_str().expect("UTF-8");
    let server = Serving::start(&[&[path, "--log-format", "json", "--threads", "2"], args].concat());
    let line: serde_json::Value = serde_json::from_str(&server.logged("memory_limit_bytes")).expect("JSON");
    let limit = line["memory_limit_bytes"].as_u64().expect("a number");
    load(&server.address).await;
    let peak = peak(server.id());
    assert!(peak < limit, "{} of {} MiB", peak >> 20, limit >> 20);
    assert!(peak > limit / 5, "{} of {} MiB are too few to have been a trial", peak >> 20, limit >> 20);
}

/// Reads `count` batches of each of `requests` at once, and holds `idle` streams that read nothing at all.
async fn load(address: &str, idle: Vec<v1::StreamRequest>, requests: Vec<v1::StreamRequest>) {
    let mut held = Vec::new();
    for request in idle {
        let mut client = raw(address).await;
        held.push((client.stream(request).await.expect("admitted").into_inner(), client));
    }
    let mut readers = JoinSet::new();
    for request in requests {
        let mut client = raw(address).await.max_decoding_message_size(65 << 20);
        readers.spawn(async move {
            let mut stream = client.stream(request.clone()).await.expect("admitted").into_inner();
            let mut batches = 0;
            while next(&mut stream, 64 << 20).await.expect("no failure").is_some() {
                batches += 1;
            }
            assert_eq!(Some(batches), request.delivery.and_then(|delivery| delivery.count));
        });
    }
    while let Some(read) = tokio::time::timeout(DEADLINE, readers.join_next()).await.expect("all get theirs") {
        read.expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn the_program_keeps_to_the_memory_that_it_announces() {
    // Batches of 8 rows of 224x224 floats, 4.8 MB: forty of them nearly fill the budget.
    let request_of = |seed: u64, count: Option<u64>| {
        let mut spec = v1::LoaderSpec { seed, ..spec("imagenet-train", 8) };
        spec.mixing = (seed % 2 == 1).then(|| mixed(small_spec(8), cutmix()).mixing).flatten();
        request(spec, rank(0, 1), v1::Delivery { count, ..Default::default() })
    };
    let idle = (0..10).map(|seed| request_of(seed, None)).collect();
    let readers = (0..28).map(|client| request_of(client % 4, Some(4))).collect();
    let args = ["--batch-budget", "200MiB", "--max-sessions", "40", "--memory-budget", "32MiB"];
    keeps_to_its_memory(&args, async |address| load(address, idle, readers).await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg(target_os = "linux")]
async fn the_program_keeps_to_its_memory_whatever_parts_are_asked_for() {
    // Batches of 37.7 MB, which clients would like to have in one part each.
    let request_of = |seed: u64, count: Option<u64>| {
        let delivery = v1::Delivery { count, part_bytes: Some(64 << 20), ..Default::default() };
        request(v1::LoaderSpec { seed, ..cropped(256, 48) }, rank(0, 1), delivery)
    };
    let idle = (0..4).map(|seed| request_of(seed, None)).collect();
    let readers = (0..6).map(|client| request_of(client, Some(4))).collect();
    let args = ["--batch-budget", "380MiB", "--max-sessions", "10", "--store", "encoded"];
    keeps_to_its_memory(&args, async |address| load(address, idle, readers).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_small_batches_too_only_so_many_are_made_ahead() {
    let engine = engine_within(1 << 30);
    let mut session = session(&engine, 1, &prefetching(1 << 30));
    let made = async {
        while engine.statistics().batches < 128 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, made).await.expect("all of them are made");
    let statistics = engine.statistics();
    assert_eq!((statistics.batches, statistics.batch_bytes), (128, 128 * BATCH));
    assert_eq!(tokio::task::block_in_place(|| taken(&mut session, 5)), expected(1));
}
