//! Promise: stopping drains. Health says `NOT_SERVING`, new streams are refused with `UNAVAILABLE`, running ones end after
//! their current batch, and a deadline ends the wait.

mod common;
#[path = "common/process.rs"]
mod process;
#[path = "common/raw.rs"]
mod raw;

use std::path::PathBuf;
use std::time::Duration;

use common::*;
use feedline::client::{ClientError, Loader};
use feedline::engine::{Engine, Snapshot};
use feedline::server::{CHOSEN, Ended, Limits};
use feedline_proto::v1::{self, op::Op};
use process::{Serving, write_photographs};
use raw::{Raw, channel, raw, request};
use tonic::{Code, Status, Streaming};
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// 4.7 MB: far more than fits between a server and a client that does not read.
fn large_batches() -> v1::LoaderSpec {
    let crop = v1::RandomResizedCrop { height: 64, width: 64, ..Default::default() };
    spec_of([Op::RandomResizedCrop(crop)], 96)
}

/// Opens a stream and reads one part of its first batch; from then on the server waits for this client.
async fn stalled(client: &mut Raw, delivery: v1::Delivery) -> (v1::BatchPart, Streaming<v1::BatchPart>) {
    let mut stream = client.stream(request(large_batches(), rank(0, 1), delivery)).await.expect("sound").into_inner();
    let first = stream.message().await.expect("no failure").expect("a part");
    (first, stream)
}

fn endless() -> v1::Delivery {
    v1::Delivery::default()
}

fn is_draining(status: &Status) {
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.metadata().contains_key(CHOSEN) && status.message().contains("is stopping"), "{status:?}");
}

async fn watch(address: &str, service: &str) -> Streaming<HealthCheckResponse> {
    let request = HealthCheckRequest { service: service.into() };
    let mut stream = HealthClient::new(channel(address).await).watch(request).await.expect("known").into_inner();
    assert_eq!(health(&mut stream).await, Some(ServingStatus::Serving));
    stream
}

async fn health(stream: &mut Streaming<HealthCheckResponse>) -> Option<ServingStatus> {
    stream.message().await.expect("no failure").map(|answer| answer.status())
}

/// Everything that a client may meet while a server drains, with one stream that makes it wait.
async fn drained(address: &str, stop: impl FnOnce()) {
    let mut client = raw(address).await;
    let (first, mut stream) = stalled(&mut client, endless()).await;
    let (mut whole, mut service) = (watch(address, "").await, watch(address, "feedline.v1.FeedlineService").await);
    stop();
    assert_eq!(health(&mut whole).await, Some(ServingStatus::NotServing));
    assert_eq!(health(&mut service).await, Some(ServingStatus::NotServing));
    let check = HealthCheckRequest { service: String::new() };
    let answer = HealthClient::new(channel(address).await).check(check).await.expect("an answer");
    assert_eq!(answer.into_inner().status(), ServingStatus::NotServing);
    // New streams are refused, on a new connection and on an old one.
    let new = request(small_spec(20), rank(0, 1), from(0, 0, 1));
    is_draining(&raw(address).await.stream(new.clone()).await.expect_err("stopping"));
    is_draining(&client.stream(new).await.expect_err("stopping"));
    // The running one gets its batch whole, and then the reason why no other comes.
    let batch = raw::rest(first, &mut stream, 1 << 20).await.expect("a batch");
    assert_eq!((batch.header.step, batch.header.samples.len()), (0, 96));
    let end = raw::next(&mut stream, 1 << 20).await.map(|batch| batch.is_some());
    is_draining(&end.expect_err("a second batch, or an end without a reason"));
    assert_eq!(health(&mut whole).await, None, "a watch ends with the server");
}

/// Waits until no session is left, nor any worker that has not noticed yet.
async fn nothing_is_held(engine: &Engine) {
    let held = |now: Snapshot| now.sessions > 0 || now.batch_bytes > 0;
    let over = async {
        while held(engine.statistics()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(process::DEADLINE, over).await.expect("sessions and batches are let go");
}

struct Program {
    server: Serving,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

/// The real program, on a free port and on a Unix socket.
fn program(grace: &str) -> Program {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(&folder.path().join("photographs"));
    let socket = folder.path().join("socket");
    let unix = format!("unix:{}", socket.display());
    let path = folder.path().join("photographs");
    let path = path.to_str().expect("UTF-8");
    let args = [path, "--listen", "127.0.0.1:0", "--listen", &unix, "--shutdown-grace", grace, "--threads", "2"];
    Program { server: Serving::start(&args), socket, _folder: folder }
}

/// The exit code and the log of a program that was asked to stop.
async fn ended(program: Program) -> (Option<i32>, String) {
    let Program { server, socket, .. } = program;
    let ended = tokio::task::spawn_blocking(move || server.ended()).await.expect("no panic");
    assert!(!socket.exists(), "the socket's file is left behind");
    (ended.0.code(), ended.2.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_signal_the_program_drains_and_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let program = program("600");
        assert!(program.socket.exists());
        drained(&program.server.address, || program.server.signal(signal)).await;
        let (code, log) = ended(program).await;
        assert_eq!(code, Some(0), "{log}");
        for text in [&format!("SIG{signal}"), "stopping: no new streams", "the server stops", "INFO stopped"] {
            assert!(log.contains(text), "the log does not say {text:?}: {log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_ends_the_program_at_the_deadline_with_1() {
    let program = program("1");
    let mut client = raw(&program.server.address).await;
    let (first, mut stream) = stalled(&mut client, endless()).await;
    program.server.signal("TERM");
    let (code, log) = ended(program).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("stopped at the deadline, some streams were cut off streams=1"), "{log}");
    assert!(log.contains("error: the deadline of the shutdown cut streams off"), "{log}");
    // What the client has is no batch, and it can tell.
    let mut arrived = first.data.len();
    let status = loop {
        match stream.message().await {
            Ok(part) => arrived += part.expect("no end as if all had come").data.len(),
            Err(status) => break status,
        }
    };
    assert!(arrived < 4_718_592 && !status.metadata().contains_key(CHOSEN), "{arrived} bytes, then {status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn run_drains_when_its_future_is_over() {
    let mut server = Running::start(photographs_engine(2)).await;
    let address = server.address.clone();
    drained(&address, || server.ask_to_stop()).await;
    let engine = server.engine.clone();
    assert_eq!(server.stop().await, Ended::Drained);
    nothing_is_held(&engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_without_streams_do_not_hold_a_server_up() {
    let server = Running::start(photographs_engine(1)).await;
    let mut idle = raw(&server.address).await;
    idle.list_datasets(v1::ListDatasetsRequest::default()).await.expect("an answer");
    let _watch = watch(&server.address, "").await;
    assert_eq!(server.stop().await, Ended::Drained);
    idle.list_datasets(v1::ListDatasetsRequest::default()).await.expect_err("nobody is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_has_all_its_batches_ends_well_all_the_same() {
    let mut server = Running::start(photographs_engine(2)).await;
    let mut client = raw(&server.address).await;
    let (first, mut stream) = stalled(&mut client, from(0, 0, 1)).await;
    let mut watch = watch(&server.address, "").await;
    server.ask_to_stop();
    assert_eq!(health(&mut watch).await, Some(ServingStatus::NotServing));
    raw::rest(first, &mut stream, 1 << 20).await.expect("the batch");
    assert!(raw::next(&mut stream, 1 << 20).await.expect("OK after count batches").is_none());
    assert_eq!(server.stop().await, Ended::Drained);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_ends_at_the_deadline_whatever_a_client_does() {
    let limits = Limits { shutdown_grace: Duration::from_millis(100), ..Limits::default() };
    let server = Running::with_limits(photographs_engine(2), limits).await;
    let engine = server.engine.clone();
    let mut client = raw(&server.address).await;
    let (first, mut stream) = stalled(&mut client, endless()).await;
    assert_eq!(server.stop().await, Ended::CutOff);
    // The stream is gone, even though the process lives on.
    let cut = async {
        while stream.message().await?.is_some() {}
        Ok::<_, Status>(())
    };
    let status = cut.await.expect_err("cut off");
    assert!(!status.metadata().contains_key(CHOSEN), "{status:?}");
    drop(first);
    nothing_is_held(&engine).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_says_why_a_server_that_stops_gives_no_more() {
    let mut server = Running::start(photographs_engine(2)).await;
    let options = feedline::client::Options { retry_for: Duration::ZERO, ..Default::default() };
    let client = feedline::client::Client::new(&server.address, options).expect("an address");
    let loader = Loader { spec: small_spec(20), placement: rank(0, 1), delivery: endless() };
    let mut stream = client.stream(loader).await.expect("sound");
    let first = stream.next().await.expect("a batch").expect("a batch");
    server.ask_to_stop();
    let mut steps = vec![first.header.step];
    let error = loop {
        match stream.next().await {
            Ok(batch) => steps.push(batch.expect("no end").header.step),
            Err(error) => break error,
        }
    };
    let ClientError::Refused { code: Code::Unavailable, message } = &error else { panic!("{error:?}") };
    assert!(message.contains("another replica"), "{message}");
    let last = stream.cursor().step + u64::from(stream.cursor().epoch) * 5;
    assert_eq!(steps.len() as u64, last, "the cursor stands behind the last batch that came");
    assert_eq!(server.stop().await, Ended::Drained);
}
