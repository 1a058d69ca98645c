//! What the tests of promises share: the bundled photographs, a real server on a free port, and hashes of what came.
#![allow(dead_code, unreachable_pub)] // Every test file uses another part of it.

use std::collections::BTreeMap;
use std::time::Duration;

use feedline::client::{Batch, Client, Loader, Options as ClientOptions};
use feedline::engine::{Engine, Lease, Options};
use feedline::server::{self, Ended, Endpoint, Limits, Listener};
use feedline::source::{self, Listing};
use feedline::store::{self, Dataset, LoadOptions, Mode};
use feedline_proto::v1;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The bundled photographs, as a listing: 96 samples of 6 classes, one split.
pub fn photographs() -> Listing {
    let mut classes: Vec<&str> = feedline::demo::photographs().filter_map(|(key, _)| key.split('/').next()).collect();
    classes.dedup();
    source::embedded("photographs", &classes, feedline::demo::photographs())
}

/// Loads a listing within 1 GiB.
pub fn loaded(listing: Listing, mode: Mode) -> Dataset {
    let options = LoadOptions { mode, budget: 1 << 30, max_pixels: 89_478_485, threads: 2 };
    store::load(vec![listing], &options, &|_| {}).expect("small enough").remove(0)
}

/// An engine of so many threads over one dataset.
pub fn engine(dataset: Dataset, threads: usize) -> Engine {
    let options = Options { threads, batch_budget: 1 << 30, ..Options::default() };
    Engine::new(vec![dataset], BTreeMap::new(), options).expect("threads")
}

/// An engine over the photographs, nothing decoded in advance.
pub fn photographs_engine(threads: usize) -> Engine {
    engine(loaded(photographs(), Mode::Encoded), threads)
}

/// A spec of a preset: shuffled, the last batch short, everything else default.
pub fn spec(pipeline: &str, global_batch_size: u32) -> v1::LoaderSpec {
    let pipeline = Some(v1::Pipeline { name: pipeline.into(), ops: Vec::new() });
    let mut spec = v1::LoaderSpec { pipeline, global_batch_size, seed: 7, ..Default::default() };
    spec.set_last_batch(v1::LastBatch::Short);
    spec
}

/// A spec of ops.
pub fn spec_of(ops: impl IntoIterator<Item = v1::op::Op>, global_batch_size: u32) -> v1::LoaderSpec {
    let ops = ops.into_iter().map(|op| v1::Op { op: Some(op) }).collect();
    let pipeline = Some(v1::Pipeline { name: String::new(), ops });
    v1::LoaderSpec { pipeline, ..spec("none", global_batch_size) }
}

/// A small and quick pipeline: 32x32, flipped at random.
pub fn small_spec(global_batch_size: u32) -> v1::LoaderSpec {
    use v1::op::Op;
    let crop = Op::RandomResizedCrop(v1::RandomResizedCrop { height: 32, width: 32, ..Default::default() });
    spec_of([crop, Op::HorizontalFlip(v1::HorizontalFlip::default())], global_batch_size)
}

/// A list of samples.
pub fn subset(indices: &[u32]) -> Option<v1::Subset> {
    Some(v1::Subset { indices: indices.into(), ..Default::default() })
}

/// With a mixing.
pub fn mixed(spec: v1::LoaderSpec, kind: v1::mixing::Kind) -> v1::LoaderSpec {
    v1::LoaderSpec { mixing: Some(v1::Mixing { kind: Some(kind), ..Default::default() }), ..spec }
}

pub fn cutmix() -> v1::mixing::Kind {
    v1::mixing::Kind::Cutmix(v1::CutMix::default())
}

pub fn mixup() -> v1::mixing::Kind {
    v1::mixing::Kind::Mixup(v1::MixUp::default())
}

pub fn mosaic() -> v1::mixing::Kind {
    v1::mixing::Kind::Mosaic(v1::Mosaic::default())
}

pub fn rank(rank: u32, world_size: u32) -> v1::Placement {
    v1::Placement { rank, world_size: Some(world_size), ..Default::default() }
}

/// `count` batches from a cursor on.
pub fn from(epoch: u32, step: u64, count: u64) -> v1::Delivery {
    let start = Some(v1::Cursor { epoch, step, ..Default::default() });
    v1::Delivery { start, count: Some(count), ..Default::default() }
}

pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an engine makes, without a server.
pub fn made(
    engine: &Engine,
    spec: &v1::LoaderSpec,
    placement: &v1::Placement,
    delivery: &v1::Delivery,
) -> Vec<std::sync::Arc<Lease>> {
    let request = engine.resolve(spec, placement, delivery).expect("a sound request");
    let mut session = engine.open(request).expect("admitted");
    std::iter::from_fn(|| session.next_blocking()).map(|batch| batch.expect("made")).collect()
}

/// Hashes of the payloads that an engine makes.
pub fn made_hashes(engine: &Engine, spec: &v1::LoaderSpec, delivery: &v1::Delivery) -> Vec<String> {
    made(engine, spec, &rank(0, 1), delivery).iter().map(|batch| hash(batch.payload())).collect()
}

/// A server that runs in this process.
pub struct Running {
    pub address: String,
    pub engine: Engine,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Result<Ended, server::ServerError>>,
}

impl Running {
    /// Serves `engine` on a free port.
    pub async fn start(engine: Engine) -> Running {
        Running::with_limits(engine, Limits::default()).await
    }

    pub async fn with_limits(engine: Engine, limits: Limits) -> Running {
        let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).await.expect("a free port");
        let address = listener.endpoint().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let server = tokio::spawn(server::run(vec![listener], engine.clone(), limits, shutdown));
        Running { address, engine, stop: Some(stop), server }
    }

    pub fn client(&self) -> Client {
        client(&self.address)
    }

    /// Asks the server to stop, without waiting for it.
    pub fn ask_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Stops the server and waits until it has.
    pub async fn stop(mut self) -> Ended {
        self.ask_to_stop();
        self.server.await.expect("no panic").expect("no failure")
    }
}

/// A client that gives up after 30 s.
pub fn client(address: &str) -> Client {
    let options = ClientOptions { retry_for: Duration::from_secs(30), ..ClientOptions::default() };
    Client::new(address, options).expect("an address")
}

/// Everything that a stream gives.
pub async fn pulled(client: &Client, loader: Loader) -> Vec<Batch> {
    let mut stream = client.stream(loader).await.expect("a sound request");
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await.expect("a batch") {
        batches.push(batch);
    }
    batches
}

pub fn hashes(batches: &[Batch]) -> Vec<String> {
    batches.iter().map(|batch| hash(batch.payload())).collect()
}
