use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

/// How a client behaves between batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Thinks as long as `--think` says.
    Fast,
    /// Thinks as long as `--slow-think` says.
    Slow,
}

impl Kind {
    /// Both.
    pub(super) const ALL: [Kind; 2] = [Kind::Fast, Kind::Slow];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Fast => "fast",
            Kind::Slow => "slow",
        }
    }
}

/// What all clients count together, while they run.
#[derive(Debug)]
pub(super) struct Meter {
    pub(super) batches: AtomicU64,
    pub(super) images: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Clients that have a stream.
    pub(super) streaming: AtomicU32,
    totals: Mutex<Totals>,
}

/// What needs more than a counter.
#[derive(Clone, Debug)]
pub(super) struct Totals {
    /// Time from asking for a batch to having it, in microseconds, by kind of client.
    pub(super) latency: [Histogram<u64>; 2],
    /// Time from beginning to connect to having the first batch, in microseconds: of every connection that a client made.
    pub(super) first: Histogram<u64>,
    /// How often what went wrong, by its kind.
    pub(super) errors: BTreeMap<String, u64>,
    /// The first few of them, as they read.
    pub(super) examples: Vec<String>,
    /// How long each client had waited for a batch that had not come when the test ended.
    pub(super) unanswered: Vec<Duration>,
}

impl Meter {
    pub(super) fn new() -> Meter {
        let totals = Totals {
            latency: [histogram(), histogram()],
            first: histogram(),
            errors: BTreeMap::new(),
            examples: Vec::new(),
            unanswered: Vec::new(),
        };
        let (batches, images, bytes) = Default::default();
        Meter { batches, images, bytes, streaming: AtomicU32::new(0), totals: Mutex::new(totals) }
    }

    /// A batch has come. `is_first`: of its connection.
    pub(super) fn batch(&self, kind: Kind, is_first: bool, waited: Duration, images: u64, bytes: u64) {
        self.batches.fetch_add(1, Relaxed);
        self.images.fetch_add(images, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        let mut totals = self.totals();
        let histogram = if is_first { &mut totals.first } else { &mut totals.latency[kind as usize] };
        histogram.saturating_record(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX));
    }

    /// Something went wrong.
    pub(super) fn error(&self, kind: &str, client: u32, message: impl std::fmt::Display) {
        let mut totals = self.totals();
        *totals.errors.entry(kind.to_owned()).or_default() += 1;
        if totals.examples.len() < MOST_EXAMPLES {
            totals.examples.push(format!("client {client}: {message}"));
        }
    }

    /// The test ended while a client waited.
    pub(super) fn unanswered(&self, waited: Duration) {
        self.totals().unanswered.push(waited);
    }

    pub(super) fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// From a microsecond to an hour, three significant digits; longer times count as an hour.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("bounds that are in order, and digits from 0 to 5")
}

const MOST_EXAMPLES: usize = 10;
