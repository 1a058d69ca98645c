use std::path::PathBuf;
use std::time::{Duration, Instant};

use feedline_proto::v1;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use super::spec::{FormArgs, SpecArgs, cursor};
use super::{Failure, npy, print_json, progress, runtime};
use crate::client::{Batch, BatchStream, Client, Loader, Options};
use crate::plan::Cursor;

/// Reads batches from a server. It survives a restarted server: it reconnects and goes on with the next batch.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// HOST:PORT, http://HOST:PORT or unix:PATH.
    address: String,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    form: FormArgs,
    /// Number of ranks.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Which part of it", value_parser = clap::value_parser!(u32).range(1..))]
    world_size: u32,
    /// This rank, from 0.
    #[arg(long, value_name = "R", default_value_t = 0, help_heading = "Which part of it")]
    rank: u32,
    /// Epochs to read, the one it starts in counted.
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Which part of it", conflicts_with = "count")]
    epochs: u32,
    /// First batch.
    #[arg(long, value_name = "EPOCH:STEP", value_parser = cursor, help_heading = "Which part of it")]
    start: Option<Cursor>,
    /// Batches to read, in place of whole epochs.
    #[arg(long, value_name = "N", help_heading = "Which part of it")]
    count: Option<u64>,
    /// Take the first batch again and again: what the wire and this client could take if nothing had to be made.
    #[arg(long, help_heading = "Which part of it", conflicts_with = "output")]
    headroom: bool,
    /// Take everything over the wire, even from a server on this host.
    #[arg(long)]
    no_shared_memory: bool,
    /// How long to try again when the server can't be reached, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    retry_for: u64,
    /// Name of this client in the server's log.
    #[arg(long, value_name = "NAME", default_value = "pull")]
    name: String,
    /// Training job; the server reports two streams of one rank.
    #[arg(long, value_name = "JOB", default_value = "")]
    job: String,
    /// Print a line of JSON per batch: epoch, step, samples, labels, sha256 of the payload.
    #[arg(long)]
    json: bool,
    /// Folder for the tensors, as .npy files.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// What `--json` prints for a batch.
#[derive(Serialize)]
struct Line {
    epoch: u32,
    step: u64,
    samples: Vec<u64>,
    labels: Vec<i64>,
    sha256: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let spec = args.spec.loader_spec(args.world_size, "imagenet-eval")?;
    let mut delivery = v1::Delivery { repeat: args.headroom, ..args.form.delivery() };
    if let Some(Cursor { epoch, step }) = args.start {
        delivery.start = Some(v1::Cursor { epoch, step, ..Default::default() });
    }
    if args.output.is_some() && delivery.dtype() == v1::Dtype::Bf16 {
        return Err(Failure::usage("bf16 has no type in .npy files; ask for f16 or f32 with -o"));
    }
    let placement = v1::Placement { rank: args.rank, world_size: Some(args.world_size), ..Default::default() };
    let retry_for = Duration::from_secs(args.retry_for);
    let (name, job, shared_memory) = (args.name.clone(), args.job.clone(), !args.no_shared_memory);
    let options = Options { name, job, retry_for, shared_memory };
    let client = Client::new(&args.address, options)?;
    runtime::block_on_here(pull(args, &client, Loader { spec, placement, delivery }))?
}

async fn pull(args: &Args, client: &Client, mut loader: Loader) -> Result<(), Failure> {
    let start = Instant::now();
    let description = client.describe(&loader).await?;
    for warning in &description.warnings {
        warn!("{warning}");
    }
    let count = match args.count {
        Some(count) => count,
        None => {
            let done = args.start.map_or(0, |start| start.step.min(description.steps_per_epoch));
            u64::from(args.epochs) * description.steps_per_epoch - if args.epochs == 0 { 0 } else { done }
        }
    };
    loader.delivery.count = Some(count);
    let labels =
        if args.json && loader.spec.mixing.is_some() { Some(all_labels(client, &description).await?) } else { None };
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("can't make {}: {error}", folder.display())))?;
    }
    let mut stream = client.stream(loader).await?;
    let bar = (!args.json).then(|| progress::bar(count, "batches"));
    let (mut images, mut bytes, mut first) = (0, 0, None);
    while let Some(batch) = stream.next().await? {
        first.get_or_insert_with(|| start.elapsed());
        images += batch.samples().len();
        bytes += batch.payload().len();
        for found in &batch.header.substitutions {
            warn!(
                damaged = found.damaged,
                substitute = found.substitute,
                cause = found.cause,
                "a damaged sample was replaced"
            );
        }
        if args.json {
            print_json(&line(&batch, labels.as_deref()))?;
        }
        if let Some(folder) = &args.output {
            save(&batch, folder)?;
        }
        if let Some(bar) = &bar {
            bar.inc(1);
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    report(&stream, images, bytes, start.elapsed(), first.unwrap_or_default());
    Ok(())
}

fn report(stream: &BatchStream, images: usize, bytes: usize, time: Duration, first: Duration) {
    let seconds = time.as_secs_f64();
    let next = stream.cursor();
    info!(
        images,
        images_per_s = (images as f64 / seconds).round(),
        mb_per_s = (bytes as f64 / seconds / 1e6).round(),
        first_batch_s = (first.as_secs_f64() * 1000.0).round() / 1000.0,
        seconds = (seconds * 100.0).round() / 100.0,
        reconnects = stream.reconnects(),
        next = %Cursor { epoch: next.epoch, step: next.step },
        "done"
    );
}

fn line(batch: &Batch, all_labels: Option<&[i64]>) -> Line {
    let samples = batch.samples();
    let labels = match (all_labels, batch.tensor("label")) {
        // Mixed labels are soft; the row's own class is its sample's.
        (Some(labels), _) => samples.iter().map(|sample| labels.get(*sample as usize).copied().unwrap_or(-1)).collect(),
        (None, Some((_, bytes))) => bytes.as_chunks::<8>().0.iter().map(|x| i64::from_le_bytes(*x)).collect(),
        (None, None) => Vec::new(),
    };
    let sha256 = Sha256::digest(batch.payload()).iter().map(|byte| format!("{byte:02x}")).collect();
    Line { epoch: batch.header.epoch, step: batch.header.step, samples, labels, sha256 }
}

fn save(batch: &Batch, folder: &std::path::Path) -> Result<(), Failure> {
    for tensor in &batch.header.tensors {
        let name = format!("{:04}-{:06}-{}.npy", batch.header.epoch, batch.header.step, tensor.name);
        if let Some((tensor, bytes)) = batch.tensor(&tensor.name) {
            npy::write(&folder.join(name), tensor, bytes)?;
        }
    }
    Ok(())
}

/// The class of every sample of the split.
async fn all_labels(client: &Client, description: &v1::DescribeResponse) -> Result<Vec<i64>, Failure> {
    let spec = description.spec.clone().unwrap_or_default();
    let split = spec.split.split('[').next().unwrap_or_default().to_owned();
    let mut request =
        v1::ListSamplesRequest { dataset: spec.dataset, split, page_size: Some(10_000), ..Default::default() };
    let mut labels = Vec::new();
    loop {
        let page = client.list_samples(request.clone()).await?;
        labels.extend(page.samples.iter().map(|sample| sample.label));
        if page.next_page_token.is_empty() {
            return Ok(labels);
        }
        request.page_token = page.next_page_token;
    }
}
