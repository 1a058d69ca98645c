use std::path::PathBuf;
use std::time::Duration;

use tracing::info;

use super::load::{ModelArgs, StoreArgs, fill, list, load, named_path};
use super::{Failure, runtime};
use crate::config::File;
use crate::engine::{Engine, Options};
use crate::server::{self, Ended, Endpoint, Limits, Listener};
use crate::store::{Budget, Dataset, Human, Mode, Split, memory};

/// Serves image folders: PATH has one folder per class, or train, val and test folders that have. Prints
/// `listening on HOST:PORT` on standard output when it can be used.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders; NAME= gives a dataset another name than its folder's.
    #[arg(value_name = "[NAME=]PATH")]
    paths: Vec<String>,
    /// Where to listen: HOST:PORT or unix:PATH; may be given several times [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDRESS")]
    listen: Vec<Endpoint>,
    /// TOML file with datasets, pipelines and limits; see deploy/feedline.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Memory for batches, such as 2GiB [default: a quarter of what the machine or its control group allows]
    #[arg(long, value_name = "SIZE")]
    batch_budget: Option<Budget>,
    #[command(flatten)]
    models: ModelArgs,
    /// Streams at the same time [default: 256]
    #[arg(long, value_name = "N")]
    max_sessions: Option<usize>,
    /// Seconds that a stopping server waits for its streams to finish their batch [default: 30]
    #[arg(long, value_name = "SECONDS")]
    shutdown_grace: Option<u64>,
    #[command(flatten)]
    store: StoreArgs,
}

/// Everything that `serve` needs, as meant.
struct Config {
    datasets: Vec<(Option<String>, PathBuf)>,
    listen: Vec<Endpoint>,
    store: StoreArgs,
    limits: Limits,
    batch_budget: u64,
    file: File,
}

impl Config {
    /// Puts file and flags together, and gathers all mistakes.
    fn resolve(args: &Args) -> Result<Config, Failure> {
        let mut file = args.config.as_deref().map(File::read).transpose()?.unwrap_or_default();
        let mut mistakes = Vec::new();
        let mut datasets: Vec<_> = args.paths.iter().map(|path| named_path(path)).collect();
        datasets
            .extend(std::mem::take(&mut file.dataset).into_iter().map(|(name, dataset)| (Some(name), dataset.path)));
        if datasets.is_empty() {
            mistakes.push("no dataset: give a folder of images, or a --config with [dataset.NAME]".to_owned());
        }
        let mut listen = args.listen.clone();
        if listen.is_empty() {
            for address in &file.listen {
                match address.parse() {
                    Ok(endpoint) => listen.push(endpoint),
                    Err(error) => mistakes.push(format!("listen: {error}")),
                }
            }
        }
        if listen.is_empty() {
            listen.push(Endpoint::Tcp("127.0.0.1:50051".into()));
        }
        let mut limits = file.limits.resolve().unwrap_or_else(|found| {
            mistakes.extend(found);
            Limits::default()
        });
        let mut store = args.store.clone();
        store.store = store.store.or(Some(file.store));
        store.threads = store.threads.or(Some(file.threads));
        store.max_pixels = Some(store.max_pixels.unwrap_or(limits.max_pixels));
        let mut budget = |name: &str, text: &Option<String>| {
            let parsed = text.as_ref().map(|text| text.parse::<Budget>());
            parsed.transpose().unwrap_or_else(|error| {
                mistakes.push(format!("{name}: {error}"));
                None
            })
        };
        store.memory_budget = store.memory_budget.or(budget("memory_budget", &file.memory_budget));
        let batch_budget = args.batch_budget.or(budget("batch_budget", &file.batch_budget));
        limits.max_pixels = store.max_pixels.unwrap_or(limits.max_pixels);
        limits.max_sessions = args.max_sessions.unwrap_or(limits.max_sessions);
        limits.shutdown_grace = args.shutdown_grace.map_or(limits.shutdown_grace, Duration::from_secs);
        if !mistakes.is_empty() {
            return Err(Failure::usage(mistakes.join("; ")));
        }
        let batch_budget = batch_budget.map_or_else(default_batch_budget, Budget::bytes);
        Ok(Config { datasets, listen, store, limits, batch_budget, file })
    }
}

/// A quarter of what this process may use.
pub(super) fn default_batch_budget() -> u64 {
    memory::allowed().unwrap_or(4 << 30) / 4
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = Config::resolve(args)?;
    let models = args.models.folder_or(config.file.models)?;
    runtime::block_on(async {
        // Whether the addresses are free shows before minutes of loading.
        for endpoint in &config.listen {
            drop(Listener::bind(endpoint).await?);
        }
        Ok::<_, Failure>(())
    })??;
    let datasets = load(list(&config.datasets)?, &config.store.options())?;
    let options = Options {
        threads: config.store.threads(),
        batch_budget: config.batch_budget,
        max_batch_bytes: config.limits.max_batch_bytes,
        max_sessions: config.limits.max_sessions,
        decode: crate::decode::Limits { max_pixels: config.limits.max_pixels, ..Default::default() },
        models,
    };
    let limit = MemoryLimit::of(&datasets, &options);
    limit.report();
    let engine = Engine::new(datasets, config.file.pipeline, options)?;
    if config.store.store == Some(Mode::Decoded) {
        fill(&engine);
    }
    let ended = runtime::block_on(async {
        let mut listeners = Vec::new();
        for endpoint in &config.listen {
            listeners.push(Listener::bind(endpoint).await?);
        }
        let stop = runtime::asked_to_stop();
        for listener in &listeners {
            // Nobody may be reading it; the server is of use all the same.
            let _ = super::print_line(format_args!("listening on {}", listener.endpoint()));
        }
        Ok::<_, Failure>(server::run(listeners, engine, config.limits, stop).await?)
    })??;
    match ended {
        Ended::Drained => Ok(()),
        Ended::CutOff => Err(Failure::new("the deadline of the shutdown cut streams off")),
    }
}

/// What the server can take at most, term by term.
struct MemoryLimit {
    datasets: u64,
    decoded: u64,
    batches: u64,
    decoders: u64,
    sessions: u64,
    models: u64,
}

/// Code, runtime, allocator and everything small.
const BASE: u64 = 96 << 20;
/// Bytes that decoding and augmenting takes per pixel of the largest image: the decoder's coefficients and rows, the pixels,
/// and a float copy.
const SCRATCH_PER_PIXEL: u64 = 36;
/// Messages of a stream that are on their way from the batch to the socket.
const PARTS: u64 = 2 << 20;

impl MemoryLimit {
    fn of(datasets: &[Dataset], options: &Options) -> MemoryLimit {
        let memory: crate::store::Memory = datasets.iter().map(Dataset::memory).sum();
        let splits = datasets.iter().flat_map(|dataset| &dataset.splits);
        let largest = splits.filter_map(Split::largest).map(|size| size.area()).max().unwrap_or(0);
        MemoryLimit {
            datasets: memory.encoded + memory.index,
            decoded: memory.decoded_budget,
            batches: options.batch_budget,
            decoders: options.threads as u64 * (largest * SCRATCH_PER_PIXEL + (8 << 20)),
            sessions: options.max_sessions as u64 * (server::SEND_BUFFER + PARTS),
            models: options.model_bytes(),
        }
    }

    fn report(&self) {
        let MemoryLimit { datasets, decoded, batches, decoders, sessions, models } = *self;
        let total = datasets + decoded + batches + decoders + sessions + models + BASE;
        info!(
            memory_limit_bytes = total,
            limit = %Human(total), datasets = %Human(datasets), decoded = %Human(decoded), batches = %Human(batches),
            threads_scratch = %Human(decoders), sessions = %Human(sessions), models = %Human(models), base = %Human(BASE),
            "memory, at most"
        );
    }
}
