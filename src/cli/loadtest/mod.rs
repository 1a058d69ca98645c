mod address;
mod client;
mod figures;
mod ledger;
mod meter;
mod page;
mod plot;
mod process;
mod run;

use std::path::PathBuf;
use std::time::Duration;

use feedline_proto::v1;
use tracing::{info, warn};

use super::spec::{FormArgs, SpecArgs};
use super::{Failure, print_json, runtime};
use crate::client::{Client, ClientError, Loader, Options};
use crate::store::{Human, memory};
use figures::Figures;
use process::Process;

/// Loads a server with many clients at once, each with a connection of its own, for a while; checks every batch that comes, and
/// says how fast, how evenly and how reliably they came. Exit code 1 if anything was wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// HOST:PORT, http://HOST:PORT or unix:PATH; several replicas with commas between. Of this machine, unless --allow-remote is given.
    address: String,
    /// Clients at the same time.
    #[arg(long, value_name = "N", default_value_t = 8, help_heading = "Clients", value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// Which rows they want.
    #[arg(long, value_name = "RANKS", default_value = "distinct", help_heading = "Clients")]
    ranks: Ranks,
    /// Seconds over which they start, one after the other [default: 1 for every 100 clients, at most half the duration]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Clients")]
    ramp: Option<Duration>,
    /// Milliseconds that a client thinks after each batch, as a training does.
    #[arg(long, value_name = "MS", default_value_t = 0, help_heading = "Clients")]
    think: u64,
    /// Share of the clients that think for --slow-think instead.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = fraction, help_heading = "Clients")]
    slow: f64,
    /// Milliseconds that a slow client thinks after each batch.
    #[arg(long, value_name = "MS", default_value_t = 1000, help_heading = "Clients")]
    slow_think: u64,
    /// Share of the clients that drop their connection now and then, half of the times with a batch on its way, and come back within a
    /// second to go on with the next batch.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = fraction, help_heading = "Clients")]
    vanish: f64,
    /// Seed of who vanishes, and when.
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Clients")]
    vanish_seed: u64,
    /// How long a client tries again when the server can't be reached, in seconds; then it ends, with an error.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Clients")]
    retry_for: Duration,
    /// Give clients their batches by shared memory, if the server is on this machine, as other clients get them there. Without it they
    /// come over the wire, as to clients on other machines.
    #[arg(long, help_heading = "Clients")]
    shared_memory: bool,
    /// How long the test lasts, in seconds. Ctrl-C ends it earlier, with the figures up to then.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    duration: Duration,
    /// Seconds at the start that images/s and MB/s leave out: connections are made in them, and memory is touched for the first time.
    /// All else is of the whole time.
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    warm_up: Duration,
    /// Load a server that is not on this machine.
    #[arg(long)]
    allow_remote: bool,
    /// Process of the server, if it is on this machine: its processor time and memory are told too (Linux only).
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
    /// Threads that receive and check batches [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Print the last line as JSON only; without it, the same object follows a table.
    #[arg(long)]
    json: bool,
    /// Write a page with plots, all in one file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    form: FormArgs,
}

/// Which rows the clients want.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Ranks {
    /// One training: client i is rank i of as many as there are clients.
    Distinct,
    /// All want the same batches, which the server makes once.
    Shared,
    /// As many trainings: each client reads the whole dataset in an order of its own, from a seed of its own.
    Separate,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if !args.allow_remote {
        address::require_loopback(&args.address)?;
    }
    if args.duration.is_zero() {
        return Err(Failure::usage("--duration is 0, expected a time above 0, in seconds"));
    }
    if args.warm_up >= args.duration {
        let (warm_up, duration) = (args.warm_up.as_secs_f64(), args.duration.as_secs_f64());
        return Err(Failure::usage(format!("--warm-up is {warm_up}, expected less than the --duration, {duration}")));
    }
    if let Some(path) = &args.report {
        // Whether it can be written shows before the test, not after it.
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|error| Failure::new(format!("can't write {}: {error}", path.display())))?;
    }
    process::allow_open_files(args.clients, args.shared_memory)?;
    let server = args.server_pid.map(Process::open).transpose()?;
    let threads = args.threads.map_or_else(available_threads, usize::from);
    let outcome = runtime::block_on_threads(threads, async {
        let loader = args.loader()?;
        let server_version = rehearse(args, &loader).await?;
        let outcome = run::run(args, &loader, server).await?;
        Ok::<_, Failure>((outcome, server_version))
    })?;
    let (outcome, server_version) = outcome?;
    let figures = Figures::of(args, &outcome);
    if let Some(path) = &args.report {
        let page = page::page(&figures, &outcome, &server_version)?;
        std::fs::write(path, page).map_err(|error| Failure::new(format!("can't write {}: {error}", path.display())))?;
    }
    for example in &outcome.totals.examples {
        warn!("{example}");
    }
    if !args.json {
        for (name, value) in figures.rows() {
            say!("{name:<20} {value}");
        }
    }
    print_json(&figures)?;
    let errors: u64 = figures.errors.values().sum();
    if errors == 0 { Ok(()) } else { Err(Failure::new(format!("{errors} errors, the first few are in the log"))) }
}

/// Asks for what the first client will want: what can't succeed fails here, once, and not in every client. Returns the version of
/// the server.
async fn rehearse(args: &Args, loader: &Loader) -> Result<String, Failure> {
    let retry_for = args.retry_for.min(args.duration);
    let client = Client::new(&args.address, Options { name: "loadtest".into(), retry_for, ..Options::default() })?;
    // A server that takes the request and never answers must not keep the test from ending.
    let answer = async { Ok::<_, ClientError>((client.describe(loader).await?, client.list_datasets().await?)) };
    let (description, datasets) = tokio::time::timeout(args.duration, answer).await.map_err(|_| Failure {
        message: format!("{} has not answered for {} s", args.address, args.duration.as_secs_f64()),
        code: 4,
    })??;
    for warning in &description.warnings {
        warn!("{warning}");
    }
    // One batch that is being put together, and what HTTP/2 lets come beyond it.
    let needed = u64::from(args.clients).saturating_mul(description.payload_bytes.saturating_mul(2));
    if let Some(allowed) = memory::allowed().filter(|allowed| *allowed < needed) {
        return Err(Failure::usage(format!(
            "{} clients with batches of {} need {} of memory, this process may have {}: take fewer clients, a smaller \
             --batch-size, or --dtype u8",
            args.clients,
            Human(description.payload_bytes),
            Human(needed),
            Human(allowed)
        )));
    }
    info!(
        clients = args.clients,
        seconds = args.duration.as_secs_f64(),
        batch = %Human(description.payload_bytes),
        steps_per_epoch = description.steps_per_epoch,
        "loading"
    );
    Ok(datasets.server_version)
}

impl Ranks {
    /// What client `index` wants, when the first one wants `loader`.
    fn loader_of(self, index: u32, loader: &Loader) -> Loader {
        let mut loader = loader.clone();
        match self {
            Ranks::Distinct => loader.placement.rank = index,
            Ranks::Shared => {}
            Ranks::Separate => loader.spec.seed = loader.spec.seed.saturating_add(u64::from(index)),
        }
        loader
    }
}

impl Args {
    /// What the first client wants.
    fn loader(&self) -> Result<Loader, Failure> {
        let world_size = if self.ranks == Ranks::Distinct { self.clients } else { 1 };
        let spec = self.spec.loader_spec(world_size, "imagenet-train")?;
        let placement = v1::Placement { world_size: Some(world_size), ..Default::default() };
        let delivery = self.form.delivery();
        Ok(Loader { spec, placement, delivery })
    }

    /// Over how long the clients start.
    fn ramp(&self) -> Duration {
        let usual = Duration::from_millis(10) * (self.clients - 1);
        self.ramp.unwrap_or_else(|| usual.min(self.duration / 2)).min(self.duration)
    }
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| *time <= LONGEST)
        .ok_or_else(|| format!("expected 0 to {} seconds", LONGEST.as_secs()))
}

fn fraction(text: &str) -> Result<f64, String> {
    let fraction: Option<f64> = text.parse().ok();
    fraction.filter(|fraction| (0.0..=1.0).contains(fraction)).ok_or_else(|| "expected a fraction, 0 to 1".into())
}

/// The longest test: a month.
const LONGEST: Duration = Duration::from_secs(31 * 24 * 3600);
