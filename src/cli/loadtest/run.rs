use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use tokio_util::sync::CancellationToken;

use super::client::{Record, Trainer};
use super::ledger::Ledger;
use super::meter::{Kind, Meter, Totals};
use super::process::{Process, Usage};
use super::{Args, Ranks};
use crate::cli::{Failure, runtime};
use crate::client::Loader;
use crate::seed::{Key, Purpose};

/// All that was measured.
pub(super) struct Outcome {
    /// What became of each client.
    pub(super) records: Vec<Record>,
    pub(super) totals: Totals,
    /// The counters, second by second.
    pub(super) timeline: Vec<Point>,
    /// How long it lasted.
    pub(super) lasted: Duration,
    /// Whether a signal ended it.
    pub(super) interrupted: bool,
    /// What the server had used before, and used last.
    pub(super) server: Option<(Usage, Usage)>,
    /// What this process has used.
    pub(super) own: Option<Usage>,
}

/// The counters at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Point {
    /// Since the start.
    pub(super) at: Duration,
    pub(super) batches: u64,
    pub(super) images: u64,
    pub(super) bytes: u64,
    /// Clients that had a stream.
    pub(super) streaming: u32,
    /// Memory of the server, in bytes.
    pub(super) memory: Option<u64>,
}

/// Runs the test to its end: that of its duration, of all its clients, or a signal.
pub(super) async fn run(args: &Args, loader: &Loader, server: Option<Process>) -> Result<Outcome, Failure> {
    let stop = runtime::asked_to_stop();
    let (start, end, meter) = (Instant::now(), CancellationToken::new(), Arc::new(Meter::new()));
    let deadline = start + args.duration;
    let before = server.as_ref().and_then(Process::usage);
    let mut last = before;
    let mut clients = JoinSet::new();
    for trainer in trainers(args, loader, start..deadline, &meter, &end) {
        clients.spawn(trainer.run());
    }
    let (mut records, mut timeline, mut interrupted) = (Vec::new(), Vec::new(), false);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let timeout = sleep_until(deadline);
    tokio::pin!(stop, timeout);
    let mut look = |timeline: &mut Vec<Point>| {
        let usage = server.as_ref().and_then(Process::usage);
        last = usage.or(last);
        timeline.push(Point {
            at: start.elapsed(),
            batches: meter.batches.load(Relaxed),
            images: meter.images.load(Relaxed),
            bytes: meter.bytes.load(Relaxed),
            streaming: meter.streaming.load(Relaxed),
            memory: usage.map(|usage| usage.memory),
        });
    };
    loop {
        tokio::select! {
            ended = clients.join_next() => match ended {
                Some(record) => records.push(record.map_err(Failure::new)?),
                None => break,
            },
            _ = tick.tick() => look(&mut timeline),
            () = &mut timeout, if !end.is_cancelled() => {
                look(&mut timeline);
                end.cancel();
            }
            () = &mut stop, if !end.is_cancelled() => {
                look(&mut timeline);
                interrupted = true;
                end.cancel();
            }
        }
    }
    if !end.is_cancelled() {
        look(&mut timeline);
    }
    let mut lasted = start.elapsed();
    if let Some(last) = timeline.last_mut() {
        // What came while the clients were being stopped belongs to the end.
        let counted = |counter: &AtomicU64| counter.load(Relaxed);
        (last.batches, last.images, last.bytes) =
            (counted(&meter.batches), counted(&meter.images), counted(&meter.bytes));
        lasted = last.at;
    }
    let totals = meter.totals().clone();
    let own = Process::open(std::process::id()).ok().and_then(|own| own.usage());
    Ok(Outcome { records, totals, lasted, timeline, interrupted, server: before.zip(last), own })
}

/// The clients, in the order in which they start.
fn trainers(
    args: &Args,
    loader: &Loader,
    time: Range<Instant>,
    meter: &Arc<Meter>,
    end: &CancellationToken,
) -> Vec<Trainer> {
    let together = Arc::new(Mutex::new(Ledger::new(args.clients)));
    let vanishing = vanishing(args.clients, args.vanish, args.vanish_seed);
    let pause = args.ramp() / args.clients;
    (0..args.clients)
        .map(|index| {
            let kind = if is_slow(index, args.slow) { Kind::Slow } else { Kind::Fast };
            let think = if kind == Kind::Slow { args.slow_think } else { args.think };
            let ledger = match args.ranks {
                Ranks::Separate => Arc::new(Mutex::new(Ledger::new(1))),
                Ranks::Distinct | Ranks::Shared => Arc::clone(&together),
            };
            Trainer {
                index,
                address: args.address.clone(),
                loader: args.ranks.loader_of(index, loader),
                kind,
                think: Duration::from_millis(think),
                start: time.start + pause * index,
                deadline: time.end,
                retry_for: args.retry_for,
                shared_memory: args.shared_memory,
                vanishing: vanishing[index as usize].then(|| generator(args.vanish_seed, 1 + u64::from(index)).rng()),
                ledger,
                meter: Arc::clone(meter),
                end: end.clone(),
            }
        })
        .collect()
}

/// Whether a client is one of the slow ones, which are spread evenly over all.
fn is_slow(index: u32, share: f64) -> bool {
    let up_to = |count: u32| (f64::from(count) * share).round();
    up_to(index + 1) > up_to(index)
}

/// Which clients vanish: as many as the share says, drawn.
fn vanishing(clients: u32, share: f64, seed: u64) -> Vec<bool> {
    let count = (f64::from(clients) * share).round() as u32;
    let mut drawn: Vec<bool> = (0..clients).map(|index| index < count).collect();
    generator(seed, 0).rng().shuffle(&mut drawn);
    drawn
}

fn generator(seed: u64, position: u64) -> Key {
    Key { seed, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Vanish }
}

/// How often the counters are looked at.
const TICK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_clients_are_slow_or_vanish_as_the_share_says() {
        for (clients, share, expected) in [(8, 0.0, 0), (8, 0.25, 2), (8, 1.0, 8), (3, 0.5, 2), (1000, 0.001, 1)] {
            let slow = (0..clients).filter(|index| is_slow(*index, share)).count();
            let gone = vanishing(clients, share, 7).into_iter().filter(|vanishes| *vanishes).count();
            assert_eq!((slow, gone), (expected, expected), "{share} of {clients}");
        }
    }

    #[test]
    fn who_vanishes_is_drawn_from_the_seed() {
        assert_eq!(vanishing(40, 0.5, 1), vanishing(40, 0.5, 1));
        assert_ne!(vanishing(40, 0.5, 1), vanishing(40, 0.5, 2));
    }
}
