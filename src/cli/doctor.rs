use std::time::Duration;

use feedline_proto::v1;
use serde::Serialize;
use tracing::warn;

use super::{Failure, print_json, runtime};
use crate::client::{Client, Options};
use crate::doctor::{Diagnosis, diagnose};

/// Watches a server for a while, and says of every job that reads from it what bounds it: decoding, ops, memory, the wire or
/// the trainer.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// HOST:PORT, http://HOST:PORT or unix:PATH.
    address: String,
    /// How long to watch.
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    seconds: f64,
    /// Print a line of JSON: seconds, and per job its bound, figures and advice.
    #[arg(long)]
    json: bool,
    /// Go on until interrupted, with a look every so many seconds.
    #[arg(long)]
    watch: bool,
}

/// What `--json` prints for a look.
#[derive(Serialize)]
struct Look<'a> {
    seconds: f64,
    streams: usize,
    jobs: &'a [Diagnosis],
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let seconds = Duration::try_from_secs_f64(args.seconds).ok().filter(|time| !time.is_zero());
    let seconds =
        seconds.ok_or_else(|| Failure::usage(format!("--seconds is {}, expected more than 0", args.seconds)))?;
    if args.address.contains(',') {
        return Err(Failure::usage("several addresses, expected one: every server is looked at by itself"));
    }
    let client = Client::new(&args.address, Options { retry_for: Duration::from_secs(5), ..Options::default() })?;
    runtime::block_on(async {
        tokio::select! {
            result = watch(args, &client, seconds) => result,
            () = runtime::asked_to_stop(), if args.watch => Ok(()),
        }
    })?
}

async fn watch(args: &Args, client: &Client, seconds: Duration) -> Result<(), Failure> {
    let mut before = client.status().await?;
    loop {
        tokio::time::sleep(seconds).await;
        let after = client.status().await?;
        match diagnose(&before, &after) {
            Ok(jobs) => print(args, &before, &after, &jobs)?,
            Err(restarted) if args.watch => warn!("{restarted}"),
            Err(restarted) => return Err(Failure::new(restarted)),
        }
        if !args.watch {
            return Ok(());
        }
        before = after;
    }
}

fn print(
    args: &Args,
    before: &v1::GetStatusResponse,
    after: &v1::GetStatusResponse,
    jobs: &[Diagnosis],
) -> Result<(), Failure> {
    if args.json {
        let seconds = after.uptime_ns.saturating_sub(before.uptime_ns) as f64 / 1e9;
        return print_json(&Look { seconds, streams: after.streams.len(), jobs });
    }
    match (jobs, before.streams.len()) {
        ([], 0) => say!("no streams: nobody reads from {}", args.address),
        ([], ended) => say!("no streams: {ended} ended meanwhile, and nobody reads from {} now", args.address),
        _ => {}
    }
    jobs.iter().try_for_each(|job| Ok(say!("{job}")))
}
