//! Promise: the server counts what it does and what its streams wait for, and `feedline doctor` names what bounds a job.

mod common;
#[path = "common/process.rs"]
mod process;
#[path = "common/raw.rs"]
mod raw;
#[path = "doctor/relay.rs"]
mod relay;
#[path = "doctor/verdicts.rs"]
mod verdicts;

use std::collections::BTreeMap;
use std::time::Instant;

use common::*;
use feedline::client::{BatchStream, Loader};
use feedline::doctor::{Bound, Diagnosis, diagnose};
use feedline::engine::{Engine, Options};
use feedline::store::Mode;
use feedline_proto::v1::{self, GetStatusResponse, op::Op};
use process::{DEADLINE, Serving, ran, write_photographs};
use raw::{next, raw, request};
use serde_json::Value;
use tonic::Streaming;

/// Windows of the photographs: 20 rows of 32x32 floats, 245,952 bytes.
fn windows() -> v1::LoaderSpec {
    spec_of([Op::CenterCrop(v1::CenterCrop { height: 32, width: 32, ..Default::default() })], 20)
}

async fn status(server: &Running) -> GetStatusResponse {
    server.client().status().await.expect("a status")
}

/// Asks for the status until `wanted` holds of it.
async fn status_when(address: &str, wanted: impl Fn(&GetStatusResponse) -> bool) -> GetStatusResponse {
    let client = client(address);
    let held = async {
        loop {
            let status = client.status().await.expect("a status");
            if wanted(&status) {
                return status;
            }
        }
    };
    tokio::time::timeout(DEADLINE, held).await.expect("it comes to that")
}

/// The only diagnosis between two statuses.
fn only(before: &GetStatusResponse, after: &GetStatusResponse) -> Diagnosis {
    let mut all = diagnose(before, after).expect("the same server");
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A stream of a job that takes one part, and no more as long as nobody reads.
async fn stalled(address: &str, job: &str, delivery: v1::Delivery) -> Streaming<v1::BatchPart> {
    let client = Some(v1::ClientInfo { name: "sleeper".into(), job: job.into() });
    let delivery = v1::Delivery { part_bytes: Some(4096), ..delivery };
    let request = v1::StreamRequest { client, ..request(windows(), rank(0, 1), delivery) };
    let mut stream = raw(address).await.stream(request).await.expect("sound").into_inner();
    stream.message().await.expect("no failure").expect("a part");
    stream
}

/// What bounds `spec` while a client takes its batches as fast as they come: until that is `expected`, since work shows when it is done, and
/// one row that is under way for long on a busy machine can be missing from half of a short look.
async fn greedy_client_bound_by(expected: Bound, engine: Engine, spec: v1::LoaderSpec) -> Diagnosis {
    let server = Running::start(engine).await;
    let loader = Loader { spec, ..Default::default() };
    let mut stream: BatchStream = server.client().stream(loader).await.expect("sound");
    stream.next().await.expect("no failure").expect("endless");
    let before = status(&server).await;
    let begun = Instant::now();
    loop {
        for _ in 0..6 {
            stream.next().await.expect("no failure").expect("endless");
        }
        let found = only(&before, &status(&server).await);
        if found.bound == expected {
            return found;
        }
        assert!(begun.elapsed() < DEADLINE, "not {expected:?}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_what_arrived_and_no_counter_falls() {
    let server = Running::start(photographs_engine(2)).await;
    assert_eq!(status(&server).await.streams, []);
    let delivery = v1::Delivery { part_bytes: Some(4096), ..from(0, 0, 5) };
    let request = request(windows(), rank(0, 1), delivery);
    let mut stream = raw(&server.address).await.stream(request).await.expect("sound").into_inner();
    let (mut last, mut rows, mut bytes) = (status(&server).await, 0, 0);
    for count in 1..5 {
        let batch = next(&mut stream, 4096).await.expect("no failure").expect("five");
        rows += batch.header.samples.len() as u64;
        bytes += batch.payload.len() as u64;
        let now = status(&server).await;
        no_counter_falls(&last, &now);
        let [stream] = &now.streams[..] else { panic!("one stream: {now:?}") };
        // The window of 64 KiB lets a part of the next batch through, never all of it.
        assert_eq!((stream.batches, stream.rows), (count, rows));
        assert!((bytes..bytes + 245_952).contains(&stream.bytes), "{stream:?}");
        assert!(stream.making_ns + stream.sending_ns <= now.uptime_ns, "{now:?}");
        assert!(now.batches >= count && now.rows >= rows && now.decodes >= rows, "{now:?}");
        last = now;
    }
    let [first] = &last.streams[..] else { panic!("one stream: {last:?}") };
    assert_eq!((first.dataset.as_str(), first.rank, first.world_size), ("photographs", 0, 1));
    assert_eq!((first.client.as_str(), first.job.as_str()), (first.address.as_str(), ""));
    assert!(first.address.starts_with("127.0.0.1:") && first.spec_fingerprint.len() == 32, "{first:?}");
    assert_eq!((first.prefetch_bytes, first.dtype()), (256 << 20, v1::Dtype::Fp32));
    assert!(first.decode_ns > 0 && first.augment_ns > 0 && first.collate_ns > 0, "{first:?}");
    assert_eq!((last.threads, last.batch_budget_bytes, last.decoded_budget_bytes), (2, 1 << 30, 0));
    assert!(last.dataset_bytes > 1 << 20 && last.all_decoded_bytes > 96 * 256 * 256 * 3, "{last:?}");
    while next(&mut stream, 4096).await.expect("no failure").is_some() {}
    // It is in the list as long as it lives; the server's own counters stay.
    drop(stream);
    let stages = |status: &GetStatusResponse| status.decode_ns + status.augment_ns + status.collate_ns;
    let done = |status: &GetStatusResponse| status.streams.is_empty() && status.work_ns >= stages(status);
    let after = status_when(&server.address, done).await;
    assert_eq!((after.rows, after.batches), (96, 5));
    no_counter_falls(&GetStatusResponse { streams: Vec::new(), ..last }, &after);
}

/// Compares all numbers but those that are gauges.
fn no_counter_falls(before: &GetStatusResponse, after: &GetStatusResponse) {
    const GAUGES: [&str; 4] = ["decoded_bytes", "batch_bytes", "batches_ahead", "batches_ready"];
    let numbers = |status: &GetStatusResponse| {
        let mut all = BTreeMap::new();
        let mut add = |of: u64, value: Value| {
            for (name, value) in value.as_object().expect("a message") {
                let number = value.as_u64().or_else(|| value.as_str()?.parse::<u64>().ok());
                all.extend(number.filter(|_| !GAUGES.contains(&name.as_str())).map(|x| ((of, name.clone()), x)));
            }
        };
        for stream in &status.streams {
            add(stream.id + 1, serde_json::to_value(stream).expect("JSON"));
        }
        add(0, serde_json::to_value(GetStatusResponse { streams: Vec::new(), ..status.clone() }).expect("JSON"));
        all
    };
    let (before, after) = (numbers(before), numbers(after));
    assert!(before.len() > 5 && before.keys().all(|(of, name)| *of > 0 || !name.is_empty()));
    for (name, was) in before {
        let is = after.get(&name).copied().unwrap_or(0);
        assert!(is >= was, "{name:?} was {was} and is {is}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_bound_by_its_trainer() {
    let server = Running::start(photographs_engine(2)).await;
    let stream = stalled(&server.address, "sleepers", v1::Delivery::default()).await;
    let before = status_when(&server.address, |status| status.streams[0].batches_ready > 1).await;
    let after = status(&server).await;
    let found = only(&before, &after);
    assert_eq!((found.bound, found.figures.ready), (Bound::Trainer, 1.0), "{found}");
    assert_eq!(
        (found.job.as_str(), &found.clients[..], &found.ranks[..]),
        ("sleepers", &["sleeper".into()][..], &[0][..])
    );
    let line = found.to_string();
    assert!(line.starts_with("job \"sleepers\" (1 stream): bound by the trainer: batches lie ready 100 % "), "{line}");
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_do_not_get_through_are_bound_by_the_wire() {
    let server = Running::start(photographs_engine(2)).await;
    let relay = relay::Relay::start(&server.address);
    let mut client = relay::client_without_windows(&relay.address).await;
    let delivery = v1::Delivery { repeat: true, ..Default::default() };
    let mut stream = client.stream(request(windows(), rank(0, 1), delivery)).await.expect("sound").into_inner();
    stream.message().await.expect("no failure").expect("a part");
    relay.stop_reading();
    let mut before = status(&server).await;
    // What lies between the two sockets fills up first.
    let found = async {
        loop {
            let after = status(&server).await;
            let found = only(&before, &after);
            if found.bound == Bound::Wire {
                return found;
            }
            before = after;
        }
    };
    let found = tokio::time::timeout(DEADLINE, found).await.expect("the socket fills up");
    assert!(found.figures.wire >= 0.75 && found.figures.ready > 0.9, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greedy_client_of_encoded_images_is_bound_by_decode() {
    let found = greedy_client_bound_by(Bound::Decode, photographs_engine(1), windows()).await;
    assert!(found.figures.decode > 0.5 && found.advice.contains("--store auto"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greedy_client_of_a_heavy_pipeline_is_bound_by_its_ops() {
    let engine = engine(loaded(photographs(), Mode::Decoded), 1);
    engine.fill(&|_| {});
    let blur = || Op::GaussianBlur(v1::GaussianBlur { kernel_size: 31, p: Some(1.0), ..Default::default() });
    let crop = Op::CenterCrop(v1::CenterCrop { height: 224, width: 224, ..Default::default() });
    let found = greedy_client_bound_by(Bound::Augment, engine, spec_of([crop, blur(), blur()], 16)).await;
    assert!(found.figures.augment > 0.5 && found.advice.contains("cheaper ops"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_room_for_its_next_batch_counts_the_time() {
    let options = Options { threads: 2, batch_budget: 400_000, ..Options::default() };
    let engine = Engine::new(vec![loaded(photographs(), Mode::Encoded)], BTreeMap::new(), options).expect("threads");
    let server = Running::start(engine).await;
    let mut stream = stalled(&server.address, "", v1::Delivery::default()).await;
    let before = status_when(&server.address, |status| status.streams[0].memory_wait_ns > 0).await;
    let after = status(&server).await;
    let [was, is] = [&before.streams[0], &after.streams[0]];
    assert!(is.memory_wait_ns > was.memory_wait_ns, "{is:?}");
    assert_eq!((is.batches_ahead, is.batches_ready, is.batches), (0, 0, 0), "one batch has room: the one being sent");
    // When it has been taken, the next one is made.
    let mut arrived = 4096;
    while arrived < 245_952 {
        arrived += stream.message().await.expect("no failure").expect("a part").data.len();
    }
    next(&mut stream, 4096).await.expect("no failure").expect("endless");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_sees_in_words_and_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(folder.path());
    let server = Serving::start(&[folder.path().to_str().expect("UTF-8")]);
    let address = server.address.as_str();
    let (code, out, _) = ran(&["doctor", address, "--seconds", "0.05"]);
    assert_eq!((code, out), (0, format!("no streams: nobody reads from {address}\n")));
    let stream = stalled(address, "sleepers", v1::Delivery::default()).await;
    status_when(address, |status| status.streams[0].batches_ready > 1).await;
    let (code, out, _) = ran(&["doctor", address, "--seconds", "0.05"]);
    assert!(code == 0 && out.starts_with("job \"sleepers\" (1 stream): bound by the trainer: "), "{code}: {out}");
    let (code, out, _) = ran(&["doctor", address, "--seconds", "0.05", "--json"]);
    let look: Value = serde_json::from_str(&out).expect("one line");
    assert_eq!((code, &look["streams"], &look["jobs"][0]["bound"]), (0, &1.into(), &"trainer".into()));
    assert!(look["seconds"].as_f64().is_some_and(|x| x >= 0.05) && look["jobs"][0]["advice"].is_string(), "{look}");
    drop(stream);
}

#[test]
fn mistakes_have_the_exit_codes_of_all_commands() {
    for (args, expected, text) in [
        (&["127.0.0.1:9", "--seconds", "0"][..], 2, "--seconds is 0, expected more than 0"),
        (&["127.0.0.1:9", "--seconds=-1"], 2, "--seconds is -1, expected more than 0"),
        (&["127.0.0.1:9,127.0.0.1:10"], 2, "expected one"),
        (&["nowhere"], 2, "no address"),
        (&["unix:/nowhere/feedline.sock"], 4, "no answer from"),
    ] {
        let (code, out, log) = ran(&[&["doctor"], args].concat());
        assert!(code == expected && out.is_empty() && log.contains(text), "{args:?}: {code} {log}");
    }
}

#[test]
fn headroom_takes_the_first_batch_again_and_again() {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(folder.path());
    let server = Serving::start(&[folder.path().to_str().expect("UTF-8")]);
    let pull = |args: &[&str]| ran(&[&["pull", &server.address, "--batch-size", "8", "--json"], args].concat());
    let (code, first, log) = pull(&["--count", "1"]);
    assert_eq!(code, 0, "{log}");
    assert_eq!(pull(&["--count", "4", "--headroom"]).1, first.repeat(4));
    // Without a count, as many as an epoch has steps.
    assert_eq!(pull(&["--headroom"]).1.lines().count(), 12);
}
