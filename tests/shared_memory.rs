//! Promise: a client on the server's host may get its batches by shared memory: the same bytes, nothing that it reads is written to,
//! and whatever fails there, the wire is left.
#![cfg(target_os = "linux")]

mod common;
#[path = "common/process.rs"]
mod process;
#[path = "common/raw.rs"]
mod raw;

use std::io::{ErrorKind, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use common::*;
use feedline::client::{BatchStream, Client, Loader, Options};
use feedline::server::Ended;
use feedline::tensor::View;
use feedline::wire;
use feedline_proto::tensor::check_payload;
use feedline_proto::v1::{self, op::Op};
use process::{DEADLINE, Serving, write_photographs};
use prost::Message;
use raw::{next, raw, request};
use tokio::time::timeout;
use tonic::{Code, Streaming};

/// Batches of 983 KB, five to an epoch.
fn spec_of_seed(seed: u64) -> v1::LoaderSpec {
    let crop = Op::RandomCrop(v1::RandomCrop { height: 64, width: 64, ..Default::default() });
    v1::LoaderSpec { seed, ..spec_of([crop], 20) }
}

/// Bytes of a batch: images, and labels with their padding.
const BATCH: u64 = 20 * 64 * 64 * 3 * 4 + 192;

fn loader(spec: v1::LoaderSpec, count: u64) -> Loader {
    Loader { spec, placement: rank(0, 1), delivery: from(0, 0, count) }
}

fn expected(spec: &v1::LoaderSpec, count: u64) -> Vec<String> {
    made_hashes(&photographs_engine(2), spec, &from(0, 0, count))
}

fn client_with(address: &str, shared_memory: bool) -> Client {
    let options = Options { retry_for: DEADLINE, shared_memory, ..Options::default() };
    Client::new(address, options).expect("an address")
}

async fn rest(stream: &mut BatchStream) -> Vec<String> {
    let mut hashes = Vec::new();
    while let Some(batch) = stream.next().await.expect("a batch") {
        hashes.push(hash(batch.payload()));
    }
    hashes
}

/// Whether the server says that its one stream has shared memory.
async fn is_shared(client: &Client) -> bool {
    let status = client.status().await.expect("a status");
    let [stream] = &status.streams[..] else { panic!("{} streams", status.streams.len()) };
    stream.shared_memory
}

/// A client by the contract: its socket, and what it asks for with it.
struct Memory {
    listener: UnixListener,
    asked: v1::SharedMemory,
}

impl Memory {
    fn new(name: &str) -> Memory {
        let socket = format!("feedline-test-{}-{name}", std::process::id());
        let address = SocketAddr::from_abstract_name(&socket).expect("a name");
        let listener = UnixListener::bind_addr(&address).expect("a name that nobody has");
        Memory { listener, asked: v1::SharedMemory { socket, key: KEY.to_vec() } }
    }

    fn request(&self, seed: u64, delivery: v1::Delivery) -> v1::StreamRequest {
        v1::StreamRequest {
            shared_memory: Some(self.asked.clone()),
            ..request(spec_of_seed(seed), rank(0, 1), delivery)
        }
    }

    /// The server's connection, which is there as soon as the stream is.
    fn connection(&self) -> UnixStream {
        self.listener.accept().expect("the server connects").0
    }
}

/// What the key of every one is.
const KEY: &[u8] = &[9; wire::KEY_BYTES];

fn give_back(socket: &mut UnixStream) {
    socket.write_all(&[0]).expect("the server listens");
}

/// Waits until the first stream has `ready` batches ahead, and returns how many it was sent.
async fn sent_and_ready(server: &Running, ready: u32) -> u64 {
    let seen = async {
        loop {
            let status = server.client().status().await.expect("a status");
            let stream = status.streams.first().expect("a stream");
            if stream.batches_ready == ready {
                return stream.batches;
            }
        }
    };
    timeout(DEADLINE, seen).await.expect("they are made")
}

/// Waits until no batch takes memory.
async fn nothing_is_held(server: &Running) {
    let held = async {
        while server.engine.statistics().batch_bytes > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, held).await.expect("it is given back");
}

fn endless() -> v1::Delivery {
    v1::Delivery { prefetch_bytes: Some(BATCH), ..Default::default() }
}

/// The next batch, which must come by shared memory: its header, and where it lies.
async fn lent(stream: &mut Streaming<v1::BatchPart>, socket: &UnixStream) -> (v1::BatchHeader, View) {
    let part = stream.message().await.expect("no failure").expect("a part");
    assert!(part.in_shared_memory && part.data.is_empty() && part.offset == 0);
    let header = v1::BatchHeader::decode(part.header).expect("a header");
    let file = wire::take_over(socket, KEY).expect("the file comes before the part");
    (header, View::of(&file).expect("it can't be cut off"))
}

fn bytes(header: &v1::BatchHeader, view: &View) -> Vec<u8> {
    let mut payload = vec![0; header.payload_bytes as usize];
    view.copy(0, &mut payload);
    check_payload(header, &payload).expect("length and checksum");
    payload
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_those_of_the_wire() {
    let server = Running::start(photographs_engine(2)).await;
    let all = [
        mixed(spec_of_seed(1), cutmix()),
        // Of 246 KB, which are sent sooner than lent.
        small_spec(20),
    ];
    for spec in all {
        let expected = expected(&spec, 12);
        for shared_memory in [true, false] {
            let client = client_with(&server.address, shared_memory);
            let mut stream = client.stream(loader(spec.clone(), 12)).await.expect("a sound request");
            let first = stream.next().await.expect("a batch").expect("one of twelve");
            assert_eq!(is_shared(&client).await, shared_memory);
            let first = [hash(first.payload())];
            let hashes: Vec<_> = first.into_iter().chain(rest(&mut stream).await).collect();
            assert_eq!(hashes, expected, "shared memory: {shared_memory}");
            assert_eq!(stream.reconnects(), 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_with_and_without_it_share_batches() {
    let server = Running::start(photographs_engine(2)).await;
    let readers = (0..6).map(|index| {
        let client = client_with(&server.address, index % 2 == 0);
        tokio::spawn(async move { hashes(&pulled(&client, loader(spec_of_seed(2), 15)).await) })
    });
    let expected = expected(&spec_of_seed(2), 15);
    for reader in readers.collect::<Vec<_>>() {
        assert_eq!(reader.await.expect("no panic"), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lent_is_not_written_to_and_nothing_follows_until_it_comes_back() {
    let server = Running::start(photographs_engine(2)).await;
    let memory = Memory::new("held");
    let delivery = v1::Delivery { prefetch_bytes: Some(2 * BATCH), ..from(0, 0, 3) };
    let stream = raw(&server.address).await.stream(memory.request(3, delivery)).await.expect("ok");
    let (mut stream, mut socket) = (stream.into_inner(), memory.connection());
    let (header, view) = lent(&mut stream, &socket).await;
    assert_eq!(sent_and_ready(&server, 2).await, 1);
    // Others use all memory that comes back to the server, again and again.
    for seed in 4..8 {
        let client = client_with(&server.address, seed % 2 == 0);
        assert_eq!(hashes(&pulled(&client, loader(spec_of_seed(seed), 10)).await), expected(&spec_of_seed(seed), 10));
    }
    let expected = expected(&spec_of_seed(3), 3);
    assert_eq!(hash(&bytes(&header, &view)), expected[0]);
    assert_eq!(sent_and_ready(&server, 2).await, 1, "a batch was sent before the one before it was given back");
    assert_eq!(wire::take_over(&socket, KEY).expect_err("nothing").kind(), ErrorKind::WouldBlock);
    for hash_of_it in &expected[1..] {
        give_back(&mut socket);
        let (header, view) = lent(&mut stream, &socket).await;
        assert_eq!(hash(&bytes(&header, &view)), *hash_of_it);
    }
    give_back(&mut socket);
    assert!(stream.message().await.expect("no failure").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_its_socket_gets_the_rest_over_the_wire() {
    let server = Running::start(photographs_engine(2)).await;
    let memory = Memory::new("closed");
    let stream = raw(&server.address).await.stream(memory.request(9, from(0, 0, 4))).await.expect("ok");
    let (mut stream, socket) = (stream.into_inner(), memory.connection());
    let (header, view) = lent(&mut stream, &socket).await;
    let mut hashes = vec![hash(&bytes(&header, &view))];
    drop(socket);
    while let Some(batch) = next(&mut stream, 1 << 20).await.expect("no failure") {
        hashes.push(hash(&batch.payload));
    }
    assert_eq!(hashes, expected(&spec_of_seed(9), 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_gives_back_what_it_had() {
    let server = Running::start(photographs_engine(2)).await;
    let memory = Memory::new("gone");
    let stream = raw(&server.address).await.stream(memory.request(10, endless())).await.expect("ok");
    let (mut stream, socket) = (stream.into_inner(), memory.connection());
    lent(&mut stream, &socket).await;
    assert!(server.engine.statistics().batch_bytes >= BATCH);
    // Its socket alone stays open, as that of a process which the client has given it to.
    drop(stream);
    nothing_is_held(&server).await;
    drop(socket);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_waits_for_what_is_lent() {
    let mut server = Running::start(photographs_engine(2)).await;
    let memory = Memory::new("stopped");
    let stream = raw(&server.address).await.stream(memory.request(11, endless())).await.expect("ok");
    let (mut stream, mut socket) = (stream.into_inner(), memory.connection());
    let (header, view) = lent(&mut stream, &socket).await;
    server.ask_to_stop();
    // Another one is refused as soon as the server stops.
    let other = request(spec_of_seed(11), rank(0, 1), from(0, 0, 1));
    let refused = async { while raw(&server.address).await.stream(other.clone()).await.is_ok() {} };
    timeout(DEADLINE, refused).await.expect("it stops");
    assert_eq!(hash(&bytes(&header, &view)), expected(&spec_of_seed(11), 1)[0]);
    give_back(&mut socket);
    assert_eq!(stream.message().await.expect_err("it stops").code(), Code::Unavailable);
    drop(stream);
    assert_eq!(server.stop().await, Ended::Drained);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_at_the_socket_all_goes_over_the_wire() {
    let server = Running::start(photographs_engine(2)).await;
    let memory = Memory::new("nobody");
    let request = memory.request(12, from(0, 0, 3));
    drop(memory);
    let mut stream = raw(&server.address).await.stream(request).await.expect("ok").into_inner();
    let mut hashes = Vec::new();
    while let Some(batch) = next(&mut stream, 1 << 20).await.expect("no failure") {
        hashes.push(hash(&batch.payload));
    }
    assert_eq!(hashes, expected(&spec_of_seed(12), 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_socket_of_a_client_is_refused() {
    let server = Running::start(photographs_engine(2)).await;
    let memory = Memory::new("refused");
    let sound = memory.request(13, from(0, 0, 1));
    for (socket, key, expected) in [
        ("/run/other.sock", 16, "shared_memory.socket is \"/run/other.sock\", expected feedline-"),
        ("feedline-a", 3, "shared_memory.key has 3 bytes, expected 16"),
    ] {
        let asked = v1::SharedMemory { socket: socket.into(), key: vec![0; key] };
        let request = v1::StreamRequest { shared_memory: Some(asked), ..sound.clone() };
        let status = raw(&server.address).await.stream(request).await.expect_err("refused");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(expected), "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_and_started_again_costs_no_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(folder.path());
    let path = folder.path().to_str().expect("UTF-8");
    let socket = folder.path().join("socket");
    let listen = format!("unix:{}", socket.display());
    let start = || Serving::start(&["--listen", &listen, "--threads", "2", "--batch-budget", "256MiB", path]);
    let mut server = start();
    let client = client_with(&listen, true);
    let mut stream = client.stream(loader(spec_of_seed(14), 10)).await.expect("a sound request");
    let mut hashes = Vec::new();
    while let Some(batch) = stream.next().await.expect("a batch") {
        hashes.push(hash(batch.payload()));
        if hashes.len() == 3 || hashes.len() == 7 {
            assert!(is_shared(&client).await);
            drop(server);
            server = start();
        }
    }
    assert_eq!(hashes, expected(&spec_of_seed(14), 10));
    assert!(stream.reconnects() >= 2);
}
