use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use feedline_proto::v1;
use rayon::prelude::*;
use serde::Serialize;

use super::load::{ModelArgs, StoreArgs, fill, list, load, named_path};
use super::serve::default_batch_budget;
use super::spec::{FormArgs, SpecArgs};
use super::{Failure, print_json};
use crate::decode::{Decoder, Limits};
use crate::engine::{Engine, Options, Snapshot};
use crate::store::Mode;

/// Measures the engine alone: everything is in memory before the clock starts.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of images.
    path: String,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    form: FormArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    models: ModelArgs,
    /// How long to measure.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    seconds: f64,
    /// Print the last line as JSON only; without it, the same object follows a table.
    #[arg(long)]
    json: bool,
}

/// What the last line of standard output says.
#[derive(Debug, Serialize)]
struct Figures {
    images_per_s: f64,
    mb_per_s: f64,
    decode_only_images_per_s: f64,
    seconds: f64,
    images: u64,
    batches: u64,
    decode_s: f64,
    augment_s: f64,
    collate_s: f64,
    decodes: u64,
    threads: usize,
    store: Mode,
    peak_memory_bytes: u64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let path: Vec<(Option<String>, PathBuf)> = vec![named_path(&args.path)];
    let datasets = load(list(&path)?, &args.store.options())?;
    let threads = args.store.threads();
    let models = args.models.folder_or(None)?;
    let options = Options { threads, batch_budget: default_batch_budget(), models, ..Options::default() };
    let engine = Engine::new(datasets, Default::default(), options)?;
    let mode = args.store.store.unwrap_or_default();
    if mode == Mode::Decoded {
        fill(&engine);
    }
    let spec = args.spec.loader_spec(1, "imagenet-train")?;
    let delivery = args.form.delivery();
    let request = engine.resolve(&spec, &v1::Placement::default(), &delivery)?;
    let measured = Duration::try_from_secs_f64(args.seconds).map_err(Failure::usage)?;
    let decode_only = decode_only(&engine, threads, measured.min(Duration::from_secs(3)));

    let mut session = engine.open(request)?;
    // The first batch warms caches and buffers up, and is not counted.
    if let Some(batch) = session.next_blocking() {
        batch?;
    }
    let before = engine.statistics();
    let (start, mut images, mut bytes, mut batches) = (Instant::now(), 0, 0, 0);
    while start.elapsed() < measured {
        let Some(batch) = session.next_blocking() else { break };
        let batch = batch?;
        images += batch.rows() as u64;
        bytes += batch.payload().len();
        batches += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    let after = engine.statistics();
    let stage = |of: fn(&Snapshot) -> u64| (of(&after) - of(&before)) as f64 / 1e9;
    let figures = Figures {
        images_per_s: images as f64 / seconds,
        mb_per_s: bytes as f64 / seconds / 1e6,
        decode_only_images_per_s: decode_only,
        seconds,
        images,
        batches,
        decode_s: stage(|s| s.decode_ns),
        augment_s: stage(|s| s.augment_ns),
        collate_s: stage(|s| s.collate_ns),
        decodes: after.decodes - before.decodes,
        threads,
        store: mode,
        peak_memory_bytes: peak_memory().unwrap_or(0),
    };
    if !args.json {
        say!("images/s          {:10.0}", figures.images_per_s);
        say!("decode only       {:10.0} images/s", figures.decode_only_images_per_s);
        say!("payload           {:10.0} MB/s", figures.mb_per_s);
        say!("decode            {:10.2} s of {threads} threads in {seconds:.2} s", figures.decode_s);
        say!("augment           {:10.2} s", figures.augment_s);
        say!("collate           {:10.2} s", figures.collate_s);
        say!("peak memory       {:10.0} MB", figures.peak_memory_bytes as f64 / 1e6);
    }
    print_json(&figures)
}

/// How many images a second the decoder gives when nothing else is done.
fn decode_only(engine: &Engine, threads: usize, measured: Duration) -> f64 {
    let splits: Vec<_> = engine.datasets().iter().flat_map(|dataset| &dataset.splits).collect();
    let (Some(split), Ok(pool)) = (splits.first(), rayon::ThreadPoolBuilder::new().num_threads(threads).build()) else {
        return 0.0;
    };
    let (start, decoded) = (Instant::now(), AtomicU64::new(0));
    pool.install(|| {
        (0..threads as u64).into_par_iter().for_each(|thread| {
            let (mut decoder, mut pixels) = (Decoder::new(Limits::default()), Vec::new());
            let mut index = thread;
            while start.elapsed() < measured {
                let good = decoder.decode_into(split.encoded(index % split.len()), &mut pixels).is_ok();
                decoded.fetch_add(u64::from(good), Ordering::Relaxed);
                index += threads as u64;
            }
        });
    });
    decoded.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// The most memory that this process has had, where the system tells.
pub(super) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}
