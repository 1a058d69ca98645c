//! A training loop against feedline: describe, stream, save a checkpoint, lose everything, resume.
//!
//! ```sh
//! cargo run --example train_loop
//! ```
//!
//! Server and trainer run in this process, on the photographs that the program carries with it. The model is the smallest
//! that learns: one linear layer over the mean colours of an 8x8 grid, trained by gradient descent. Two trainings are
//! compared: one that goes through, and one that is cut off in the middle of an epoch and goes on from its checkpoint. They
//! end with the same weights, to the bit.

use std::collections::BTreeMap;
use std::error::Error;

use feedline::client::{Batch, Client, Loader, Options as ClientOptions};
use feedline::engine::{Engine, Options};
use feedline::server::{self, Endpoint, Limits, Listener};
use feedline::store::{self, LoadOptions, Mode};
use feedline::{demo, source};
use feedline_proto::v1::{self, op::Op};
use tokio::sync::oneshot;

const EPOCHS: u32 = 8;
const SIDE: usize = 32;
/// Cells of the grid along a side.
const GRID: usize = 8;
const FEATURES: usize = GRID * GRID * 3 + 1;
const RATE: f32 = 0.1;

/// All that a training has to save: the model, and where its data stands. The cursor is four fields: epoch, step, and the
/// fingerprints of dataset and spec, so that it can't be continued with other data by mistake.
#[derive(Clone, Default)]
struct Checkpoint {
    weights: Vec<[f32; FEATURES]>,
    cursor: Option<v1::Cursor>,
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    // What `feedline serve FOLDER` does; a real training has only the address of a server.
    let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).await?;
    let address = listener.endpoint().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(server::run(vec![listener], engine()?, Limits::default(), shutdown));

    let client = Client::new(&address, ClientOptions { job: "example".into(), ..ClientOptions::default() })?;
    let described = client.describe(&loader(None)).await?;
    println!("server    {address}");
    println!("samples   {} of {} classes", described.samples, described.classes.len());
    println!("epoch     {} steps of {} rows", described.steps_per_epoch, described.rows);
    for tensor in &described.tensors {
        println!("tensor    {} {:?} {:?}", tensor.name, tensor.dtype(), tensor.shape);
    }

    let steps = described.steps_per_epoch * u64::from(EPOCHS);
    println!("\nin one go");
    let whole = train(&client, Checkpoint::default(), steps).await?;

    let cut = steps / 2 + 1;
    println!("\ncut off after {cut} steps");
    let saved = train(&client, Checkpoint::default(), cut).await?;
    let cursor = saved.cursor.clone().unwrap_or_default();
    println!("\nresumed at {}:{}", cursor.epoch, cursor.step);
    let resumed = train(&client, saved, steps - cut).await?;

    let _ = stop.send(());
    server.await??;
    if whole.weights != resumed.weights {
        return Err("the resumed training ended with other weights".into());
    }
    println!("\nboth trainings ended with the same {} weights, to the bit", whole.weights.len() * FEATURES);
    Ok(())
}

fn engine() -> Result<Engine, Box<dyn Error>> {
    let mut classes: Vec<&str> = demo::photographs().filter_map(|(key, _)| key.split('/').next()).collect();
    classes.dedup();
    let listing = source::embedded("photographs", &classes, demo::photographs());
    let options = LoadOptions { mode: Mode::Auto, budget: 256 << 20, max_pixels: 1 << 24, threads: 0 };
    let datasets = store::load(vec![listing], &options, &|_| {})?;
    Ok(Engine::new(datasets, BTreeMap::new(), Options { batch_budget: 64 << 20, ..Options::default() })?)
}

/// What to read, from `start` on. The spec says what is in a batch; the delivery in what form, and where to start.
fn loader(start: Option<v1::Cursor>) -> Loader {
    let crop = v1::RandomResizedCrop { height: SIDE as u32, width: SIDE as u32, ..Default::default() };
    let ops = [Op::RandomResizedCrop(crop), Op::HorizontalFlip(v1::HorizontalFlip::default())];
    let pipeline = v1::Pipeline { ops: ops.map(|op| v1::Op { op: Some(op) }).into(), ..Default::default() };
    let spec = v1::LoaderSpec { pipeline: Some(pipeline), global_batch_size: 16, seed: 1, ..Default::default() };
    let mut delivery = v1::Delivery { start, ..Default::default() };
    delivery.set_dtype(v1::Dtype::Uint8);
    delivery.set_layout(v1::Layout::Nhwc);
    Loader { spec, placement: v1::Placement::default(), delivery }
}

/// Trains for `steps` steps, from where `checkpoint` stands.
async fn train(client: &Client, checkpoint: Checkpoint, steps: u64) -> Result<Checkpoint, Box<dyn Error>> {
    let Checkpoint { mut weights, cursor } = checkpoint;
    let mut stream = client.stream(loader(cursor)).await?;
    weights.resize(stream.description().classes.len(), [0.0; FEATURES]);
    let last = stream.description().steps_per_epoch - 1;
    let (mut loss, mut rows) = (0.0, 0);
    for _ in 0..steps {
        let Some(batch) = stream.next().await? else { break };
        loss += step(&mut weights, &batch)?;
        rows += batch.samples().len();
        if batch.header.step == last {
            println!("epoch {}   loss {:.3}", batch.header.epoch, loss / rows as f32);
            (loss, rows) = (0.0, 0);
        }
    }
    Ok(Checkpoint { weights, cursor: Some(stream.cursor().clone()) })
}

/// One step of softmax regression; returns the loss, summed over the rows.
fn step(weights: &mut [[f32; FEATURES]], batch: &Batch) -> Result<f32, Box<dyn Error>> {
    let (_, images) = batch.tensor("image").ok_or("a batch without images")?;
    let (_, labels) = batch.tensor("label").ok_or("a batch without labels")?;
    let labels = labels.as_chunks::<8>().0.iter().map(|label| i64::from_le_bytes(*label));
    let (mut loss, mut gradient) = (0.0, vec![[0.0; FEATURES]; weights.len()]);
    let mut rows = 0.0;
    for (image, label) in images.chunks_exact(SIDE * SIDE * 3).zip(labels) {
        let features = features(image);
        let scores = weights.iter().map(|row| row.iter().zip(&features).map(|(w, x)| w * x).sum::<f32>());
        let powers: Vec<f32> = scores.map(f32::exp).collect();
        let sum: f32 = powers.iter().sum();
        for (class, (gradient, power)) in gradient.iter_mut().zip(&powers).enumerate() {
            let wanted = if class as i64 == label { 1.0 } else { 0.0 };
            let error = power / sum - wanted;
            gradient.iter_mut().zip(&features).for_each(|(g, x)| *g += error * x);
            loss -= wanted * (power / sum).ln();
        }
        rows += 1.0;
    }
    for (row, gradient) in weights.iter_mut().zip(&gradient) {
        row.iter_mut().zip(gradient).for_each(|(w, g)| *w -= RATE * g / rows);
    }
    Ok(loss)
}

/// Mean colours of a grid over an image of 8 bits, -1 to 1, and a constant.
fn features(image: &[u8]) -> [f32; FEATURES] {
    let mut sums = [0_u32; FEATURES];
    let cell = SIDE / GRID;
    for (at, pixel) in image.as_chunks::<3>().0.iter().enumerate() {
        let (x, y) = (at % SIDE / cell, at / SIDE / cell);
        for (channel, value) in pixel.iter().enumerate() {
            sums[(y * GRID + x) * 3 + channel] += u32::from(*value);
        }
    }
    let mut features = sums.map(|sum| sum as f32 / (cell * cell) as f32 / 127.5 - 1.0);
    features[FEATURES - 1] = 1.0;
    features
}
