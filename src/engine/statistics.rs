use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// What the engine has done so far. Counters only rise; gauges say so.
#[derive(Debug, Default)]
pub struct Statistics {
    pub(super) batches: AtomicU64,
    pub(super) shared: AtomicU64,
    pub(super) abandoned: AtomicU64,
    pub(super) rows: AtomicU64,
    pub(super) decodes: AtomicU64,
    pub(super) decoded_hits: AtomicU64,
    pub(super) substitutions: AtomicU64,
    pub(super) work_ns: AtomicU64,
    pub(super) decode_ns: AtomicU64,
    pub(super) augment_ns: AtomicU64,
    pub(super) collate_ns: AtomicU64,
    pub(super) waits: AtomicU64,
    pub(super) taken: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Snapshot {
    /// Batches made.
    pub batches: u64,
    /// Batches that a session got from a making that another one had begun.
    pub shared: u64,
    /// Batches begun and given up, since nobody wanted them any more.
    pub abandoned: u64,
    /// Rows augmented, partners of mixed rows included.
    pub rows: u64,
    /// Images decoded.
    pub decodes: u64,
    /// Images that were there decoded.
    pub decoded_hits: u64,
    /// Rows whose damaged sample was replaced.
    pub substitutions: u64,
    /// Nanoseconds of all workers in tasks: idle they were for the rest of their time.
    pub work_ns: u64,
    /// Nanoseconds of all workers in decoding.
    pub decode_ns: u64,
    /// Nanoseconds of all workers in ops.
    pub augment_ns: u64,
    /// Nanoseconds of all workers in mixing, conversion, checksums and writing rows.
    pub collate_ns: u64,
    /// Batches that sessions took.
    pub taken: u64,
    /// How often a session had to wait for its next batch.
    pub waits: u64,
    /// Bytes of batches now, a gauge.
    pub batch_bytes: u64,
    /// Sessions now, a gauge.
    pub sessions: u64,
}

/// What one worker has done in one task: added to the counters, which all workers share, when it is over.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) decodes: u64,
    pub(super) decoded_hits: u64,
    pub(super) substitutions: u64,
    pub(super) decode_ns: u64,
    pub(super) augment_ns: u64,
    pub(super) collate_ns: u64,
}

impl Statistics {
    pub(super) fn add(&self, tally: &Tally) {
        self.rows.fetch_add(tally.rows, Relaxed);
        self.decodes.fetch_add(tally.decodes, Relaxed);
        self.decoded_hits.fetch_add(tally.decoded_hits, Relaxed);
        self.substitutions.fetch_add(tally.substitutions, Relaxed);
        self.decode_ns.fetch_add(tally.decode_ns, Relaxed);
        self.augment_ns.fetch_add(tally.augment_ns, Relaxed);
        self.collate_ns.fetch_add(tally.collate_ns, Relaxed);
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            batches: self.batches.load(Relaxed),
            shared: self.shared.load(Relaxed),
            abandoned: self.abandoned.load(Relaxed),
            rows: self.rows.load(Relaxed),
            decodes: self.decodes.load(Relaxed),
            decoded_hits: self.decoded_hits.load(Relaxed),
            substitutions: self.substitutions.load(Relaxed),
            work_ns: self.work_ns.load(Relaxed),
            decode_ns: self.decode_ns.load(Relaxed),
            augment_ns: self.augment_ns.load(Relaxed),
            collate_ns: self.collate_ns.load(Relaxed),
            taken: self.taken.load(Relaxed),
            waits: self.waits.load(Relaxed),
            batch_bytes: 0,
            sessions: 0,
        }
    }
}

/// Adds the time since the last lap to a counter.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Clock {
        Clock(Instant::now())
    }

    pub(super) fn lap(&mut self, counter: &mut u64) {
        let now = Instant::now();
        *counter += now.duration_since(self.0).as_nanos() as u64;
        self.0 = now;
    }
}
