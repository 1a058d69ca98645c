//! Promise: after any disconnect or restart the client goes on with the next batch: none lost, none twice, bytes equal.

mod common;
#[path = "common/proxy.rs"]
mod proxy;

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::*;
use feedline::client::{Batch, Client, Loader, Options};
use feedline_proto::v1;
use proxy::{Fault, Proxy};
use tempfile::TempDir;

/// Batches of 246 kB, two epochs.
const BATCHES: u64 = 10;

/// Nothing here takes so long on any machine; what does is broken.
const LONGEST: Duration = Duration::from_secs(300);

/// A client that outlasts any restart.
fn patient(address: &str) -> Client {
    let options = Options { retry_for: LONGEST, ..Options::default() };
    Client::new(address, options).expect("an address")
}

fn loader() -> Loader {
    let part_bytes = Some(64 << 10);
    let delivery = v1::Delivery { part_bytes, ..from(0, 0, BATCHES) };
    Loader { spec: mixed(small_spec(20), cutmix()), placement: rank(0, 1), delivery }
}

/// What an undisturbed run gives, made in this process from the photographs that the program carries.
fn expected() -> Vec<(u32, u64, String)> {
    let batches = made(&photographs_engine(2), &loader().spec, &rank(0, 1), &from(0, 0, BATCHES));
    batches.iter().map(|batch| (batch.cursor.epoch, batch.cursor.step, hash(batch.payload()))).collect()
}

fn got(batches: &[Batch]) -> Vec<(u32, u64, String)> {
    batches.iter().map(|batch| (batch.header.epoch, batch.header.step, hash(batch.payload()))).collect()
}

/// The photographs as files, one folder per class.
fn folder() -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for (key, bytes) in feedline::demo::photographs() {
        let path = root.path().join(key);
        std::fs::create_dir_all(path.parent().expect("below the root")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
    root
}

/// The program itself, as a process of its own; killed when dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Serves `folder`, and waits until it can be used. Tries again as long as another process has the address.
    fn serve(folder: &Path, listen: &str) -> Process {
        let start = Instant::now();
        loop {
            let mut child = Command::new(env!("CARGO_BIN_EXE_feedline"))
                .args(["serve", "--listen", listen, "--threads", "2", "--store", "encoded"])
                .args(["--memory-budget", "256MiB", "--batch-budget", "256MiB"])
                .arg(folder)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("started");
            let mut line = String::new();
            let stdout = child.stdout.take().expect("piped");
            BufReader::new(stdout).read_line(&mut line).expect("read");
            if let Some(address) = line.trim().strip_prefix("listening on ") {
                return Process { address: address.to_owned(), child };
            }
            let mut log = String::new();
            child.stderr.take().expect("piped").read_to_string(&mut log).expect("read");
            child.wait().expect("ended");
            let busy = log.contains("in use") && start.elapsed() < LONGEST;
            assert!(busy, "the server did not start: {log}");
        }
    }

    /// SIGKILL: nothing is said to anybody.
    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_between_batches_and_started_again_costs_no_batch() {
    let folder = folder();
    let mut server = Process::serve(folder.path(), "127.0.0.1:0");
    let mut stream = patient(&server.address).stream(loader()).await.expect("a sound request");
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await.expect("a batch") {
        batches.push(batch);
        if batches.len() == 3 || batches.len() == 7 {
            server.kill();
            server = Process::serve(folder.path(), &server.address);
        }
    }
    assert_eq!(got(&batches), expected());
    assert!(stream.cursor().step == 0 && stream.cursor().epoch == 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_a_batch_is_under_way_and_started_again_costs_no_batch() {
    let folder = folder();
    let mut server = Process::serve(folder.path(), "127.0.0.1:0");
    let proxy = Proxy::start(&server.address);
    // Three connections that get two and a half batches, what describes them before, one half and five and a half.
    proxy.expect([Fault::Hold(620_000), Fault::Hold(120_000), Fault::Hold(1_350_000)]);
    let client = patient(&proxy.address);
    let reader = tokio::spawn(async move {
        let mut stream = client.stream(loader()).await.expect("a sound request");
        let mut batches = Vec::new();
        while let Some(batch) = stream.next().await.expect("a batch") {
            batches.push(batch);
        }
        (batches, stream.reconnects())
    });
    for _ in 0..3 {
        proxy.happened.recv_timeout(LONGEST).expect("the stream got so far");
        server.kill();
        server = Process::serve(folder.path(), &server.address);
    }
    let (batches, reconnects) = reader.await.expect("no panic");
    assert_eq!(got(&batches), expected());
    assert!(reconnects >= 3, "{reconnects} reconnects");
}

/// What comes through a proxy whose first connections have faults.
async fn through(server: &Running, faults: &[Fault]) -> (Vec<Batch>, u64) {
    let proxy = Proxy::start(&server.address);
    proxy.expect(faults.iter().copied());
    let mut stream = patient(&proxy.address).stream(loader()).await.expect("a sound request");
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await.expect("a batch") {
        batches.push(batch);
    }
    let happened: Vec<_> = proxy.happened.try_iter().collect();
    assert_eq!(happened, faults);
    (batches, stream.reconnects())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_at_any_byte_costs_no_batch() {
    let server = Running::start(photographs_engine(2)).await;
    let expected = expected();
    // Before and in the HTTP/2 preface, in the first header, in the description or in parts, up to the tenth batch.
    let early = [0, 1, 9, 40, 60, 80, 100, 130, 200, 400, 700, 1000, 1500];
    let later = (1..=28).map(|n| n * 81_901);
    for bytes in early.into_iter().chain(later) {
        let (batches, _) = through(&server, &[Fault::Cut(bytes)]).await;
        assert_eq!(got(&batches), expected, "cut after {bytes} bytes");
    }
    // A connection that goes on with a stream has no description before it.
    for bytes in early {
        let (batches, _) = through(&server, &[Fault::Cut(300_000), Fault::Cut(bytes)]).await;
        assert_eq!(got(&batches), expected, "cut after {bytes} bytes of the second connection");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_again_and_again_cost_no_batch() {
    let server = Running::start(photographs_engine(2)).await;
    let cuts = [0, 300_000, 100, 555_555, 250_000, 1, 400_000, 99_999, 800_000].map(Fault::Cut);
    // The first ones end before anything is described, which is asked again too.
    let (batches, _) = through(&server, &[&[Fault::Cut(70)], &cuts[..]].concat()).await;
    assert_eq!(got(&batches), expected());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_changed_on_the_way_is_noticed_and_the_batch_asked_again() {
    let server = Running::start(photographs_engine(2)).await;
    let expected = expected();
    // A message begins with 5 bytes of length, a tag, the header's length and the header; it ends in the payload.
    for at in [0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 40, 60, 80, 100, 3000, 9999, -5000, -100, -1] {
        let (batches, reconnects) = through(&server, &[Fault::Flip(at)]).await;
        assert_eq!(got(&batches), expected, "byte {at} of a message");
        assert_eq!(reconnects, 1, "byte {at} of a message");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_is_reported_after_the_time_to_retry() {
    let server = Running::start(photographs_engine(1)).await;
    let proxy = Proxy::start(&server.address);
    proxy.expect([Fault::Cut(300_000)].into_iter().chain([Fault::Cut(0); 1000]));
    let options = Options { retry_for: Duration::ZERO, ..Options::default() };
    let impatient = Client::new(&proxy.address, options).expect("an address");
    let mut stream = impatient.stream(loader()).await.expect("a sound request");
    assert_eq!(stream.next().await.expect("whole").expect("there").header.step, 0);
    let error = stream.next().await.expect_err("cut off").to_string();
    assert!(error.contains("no answer from") && error.contains(&proxy.address), "{error}");
    assert_eq!((stream.cursor().epoch, stream.cursor().step), (0, 1), "the stream still knows where it stands");
    server.stop().await;
}
