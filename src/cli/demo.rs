use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use feedline_proto::v1;
use indicatif::ProgressBar;
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::load::{StoreArgs, load};
use super::serve::default_batch_budget;
use super::{Failure, print_json, progress, runtime};
use crate::client::{Batch, Client, Loader, Options as ClientOptions};
use crate::engine::{Engine, Options, Snapshot};
use crate::image::Size;
use crate::server::{self, Endpoint, Limits, Listener};
use crate::sheet::{self, Rgb8View, Tile};
use crate::tensor::Layout;
use crate::{demo, source};

/// Serves the bundled photographs on a free port, lets four ranks of a world of four train on them over real gRPC, with
/// imagenet-train and CutMix, and checks that every sample came exactly once per epoch.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Contact sheet of a batch.
    #[arg(short, long, value_name = "FILE", default_value = "feedline-demo.png")]
    output: PathBuf,
    /// Leave the server up when the four clients are done.
    #[arg(long)]
    keep: bool,
    /// Print the figures as one JSON object, on the last line of standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: StoreArgs,
}

const CLIENTS: u32 = 4;
const EPOCHS: u32 = 2;
/// Does not divide the number of photographs, so that the last batch of an epoch is short.
const GLOBAL_BATCH: u32 = 40;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Figures {
    images_per_s: f64,
    mb_per_s: f64,
    clients: u32,
    epochs: u32,
    samples: u64,
    batches: u64,
    exactly_once: bool,
    first_batch_s: f64,
    decode_s: f64,
    augment_s: f64,
    collate_s: f64,
    contact_sheet: String,
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    /// Sample indices by epoch.
    samples: HashMap<u32, Vec<u64>>,
    batches: u64,
    bytes: u64,
    first: Option<Duration>,
    first_batch: Option<Batch>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let classes = classes();
    let names: Vec<&str> = classes.iter().map(String::as_str).collect();
    let listing = source::embedded("photographs", &names, demo::photographs());
    let datasets = load(vec![listing], &args.store.options())?;
    let options = Options { threads: args.store.threads(), batch_budget: default_batch_budget(), ..Options::default() };
    let engine = Engine::new(datasets, Default::default(), options)?;
    runtime::block_on(demonstrate(args, engine))?
}

fn classes() -> Vec<String> {
    let mut classes: Vec<String> =
        demo::photographs().filter_map(|(key, _)| key.split('/').next().map(str::to_owned)).collect();
    classes.dedup();
    classes
}

async fn demonstrate(args: &Args, engine: Engine) -> Result<(), Failure> {
    let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).await?;
    let address = listener.endpoint().to_string();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let server = tokio::spawn(server::run(vec![listener], engine.clone(), Limits::default(), shutdown));
    let samples: u64 = engine.datasets().iter().flat_map(|dataset| &dataset.splits).map(|split| split.len()).sum();
    if !args.json {
        say!("serving {samples} photographs at {address} to {CLIENTS} clients, {EPOCHS} epochs");
    }

    let bar = progress::bar(samples * u64::from(EPOCHS), "training");
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for rank in 0..CLIENTS {
        clients.spawn(train(address.clone(), rank, start, bar.clone()));
    }
    let mut all = Seen::default();
    while let Some(seen) = clients.join_next().await {
        let seen = seen.map_err(Failure::new)??;
        for (epoch, samples) in seen.samples {
            all.samples.entry(epoch).or_default().extend(samples);
        }
        all.batches += seen.batches;
        all.bytes += seen.bytes;
        all.first = [all.first, seen.first].into_iter().flatten().min();
        all.first_batch = all.first_batch.or(seen.first_batch);
    }
    let seconds = start.elapsed().as_secs_f64();
    bar.finish_and_clear();

    let exactly_once = (0..EPOCHS).all(|epoch| {
        let mut seen = all.samples.get(&epoch).cloned().unwrap_or_default();
        seen.sort_unstable();
        seen.iter().copied().eq(0..samples)
    });
    if let Some(batch) = &all.first_batch {
        write_sheet(args, &engine, batch)?;
    }
    let images: usize = all.samples.values().map(Vec::len).sum();
    let Snapshot { decode_ns, augment_ns, collate_ns, .. } = engine.statistics();
    let rounded = |x: f64| (x * 1000.0).round() / 1000.0;
    let figures = Figures {
        images_per_s: rounded(images as f64 / seconds),
        mb_per_s: rounded(all.bytes as f64 / seconds / 1e6),
        clients: CLIENTS,
        epochs: EPOCHS,
        samples,
        batches: all.batches,
        exactly_once,
        first_batch_s: rounded(all.first.unwrap_or_default().as_secs_f64()),
        decode_s: rounded(decode_ns as f64 / 1e9),
        augment_s: rounded(augment_ns as f64 / 1e9),
        collate_s: rounded(collate_ns as f64 / 1e9),
        contact_sheet: args.output.display().to_string(),
    };
    report(args, &figures)?;
    if args.keep {
        let asked = runtime::asked_to_stop();
        eprintln!("the server stays up at {address}; try, from another terminal:");
        eprintln!("  feedline inspect {address}");
        eprintln!("  feedline pull {address} --pipeline imagenet-train --mix cutmix --batch-size 16 --json");
        eprintln!("Ctrl-C ends it");
        asked.await;
    }
    let _ = stop.send(());
    server.await.map_err(Failure::new)??;
    if exactly_once { Ok(()) } else { Err(Failure::new("not every sample came exactly once per epoch")) }
}

/// What a trainer does, without the training: reads its rank's batches and notes what it saw.
async fn train(address: String, rank: u32, start: Instant, bar: ProgressBar) -> Result<Seen, Failure> {
    let options = ClientOptions { name: format!("trainer-{rank}"), job: "demo".into(), ..ClientOptions::default() };
    let client = Client::new(&address, options)?;
    let mut loader = Loader {
        spec: spec(),
        placement: v1::Placement { rank, world_size: Some(CLIENTS), ..Default::default() },
        delivery: v1::Delivery::default(),
    };
    let steps = client.describe(&loader).await?.steps_per_epoch;
    loader.delivery.count = Some(steps * u64::from(EPOCHS));
    let mut stream = client.stream(loader).await?;
    let mut seen = Seen::default();
    while let Some(batch) = stream.next().await? {
        seen.first.get_or_insert_with(|| start.elapsed());
        let samples = batch.samples();
        bar.inc(samples.len() as u64);
        seen.samples.entry(batch.header.epoch).or_default().extend(samples);
        seen.batches += 1;
        seen.bytes += batch.payload().len() as u64;
        if rank == 0 && seen.first_batch.is_none() {
            seen.first_batch = Some(batch);
        }
    }
    Ok(seen)
}

fn spec() -> v1::LoaderSpec {
    let cutmix = v1::mixing::Kind::Cutmix(v1::CutMix::default());
    let mut spec = v1::LoaderSpec {
        pipeline: Some(v1::Pipeline { name: "imagenet-train".into(), ops: Vec::new() }),
        global_batch_size: GLOBAL_BATCH,
        mixing: Some(v1::Mixing { kind: Some(cutmix), ..Default::default() }),
        ..Default::default()
    };
    spec.set_last_batch(v1::LastBatch::Short);
    spec
}

/// Draws a batch as it arrived, its normalisation undone, with its soft labels.
fn write_sheet(args: &Args, engine: &Engine, batch: &Batch) -> Result<(), Failure> {
    let request = engine.resolve(&spec(), &v1::Placement::default(), &v1::Delivery::default())?;
    let recipe = &request.recipe;
    let (Some(tail), Some((image, bytes)), Some((_, labels))) =
        (recipe.tail(), batch.tensor("image"), batch.tensor("label"))
    else {
        return Err(Failure::new("the batch has no image or label"));
    };
    let size = Size::new(image.shape[3] as u32, image.shape[2] as u32);
    let classes = &recipe.dataset.classes;
    let floats =
        |bytes: &[u8]| -> Vec<f32> { bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect() };
    let mut pictures = Vec::new();
    for (row, weights) in
        bytes.chunks_exact(bytes.len() / image.shape[0] as usize).zip(floats(labels).chunks_exact(classes.len()))
    {
        let pixels = sheet::denormalize(&floats(row), size, Layout::Nchw, &tail.normalization)?;
        pictures.push((pixels, sheet::label_caption(weights, classes)));
    }
    let tiles: Vec<Tile<'_>> = pictures
        .iter()
        .zip(batch.samples())
        .map(|((pixels, label), sample)| {
            let caption = vec![label.clone(), recipe.samples().key(sample)];
            Ok(Tile { image: Rgb8View::new(size, pixels)?, caption })
        })
        .collect::<Result<_, Failure>>()?;
    let (size, picture) = sheet::grid(&tiles, 5, 224)?;
    Ok(sheet::write_png(&args.output, size, &picture)?)
}

fn report(args: &Args, figures: &Figures) -> Result<(), Failure> {
    if args.json {
        return print_json(figures);
    }
    let Figures { images_per_s, mb_per_s, first_batch_s, decode_s, augment_s, collate_s, .. } = figures;
    say!("every sample exactly once per epoch   {}", if figures.exactly_once { "yes" } else { "NO" });
    say!("batches                               {}", figures.batches);
    say!("images/s                              {images_per_s:.0}");
    say!("MB/s to the trainers                  {mb_per_s:.0}");
    say!("time to the first batch               {first_batch_s:.3} s");
    say!("workers' time: decode                 {decode_s:.3} s");
    say!("               augment                {augment_s:.3} s");
    say!("               mix, convert, write    {collate_s:.3} s");
    say!("contact sheet                         {}", figures.contact_sheet);
    Ok(())
}
