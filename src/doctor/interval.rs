use feedline_proto::v1;

/// What the workers did between two statuses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workers {
    /// Nanoseconds.
    pub(super) passed: u64,
    pub(super) threads: u32,
    work: u64,
    /// Decoding, ops, writing.
    pub(super) stages: [u64; 3],
    /// Nanoseconds of processor time, if the system tells.
    cpu: Option<u64>,
}

/// What one stream did between two statuses, in nanoseconds; or several of them together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Time {
    pub(super) making: u64,
    pub(super) sending: u64,
    pub(super) wire: u64,
    pub(super) memory_wait: u64,
    /// Decoding, ops, writing, for the batches that it got.
    pub(super) stages: [u64; 3],
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// A part of something, from 0 to 1.
pub(super) trait Share {
    fn of(self, all: u64) -> f64;
}

impl Share for u64 {
    fn of(self, all: u64) -> f64 {
        // What one thread counts and another one reads may be ahead by a moment.
        if all == 0 { 0.0 } else { (self as f64 / all as f64).min(1.0) }
    }
}

impl Workers {
    /// None if the later status is of a server that began after the earlier one.
    pub(super) fn between(before: &v1::GetStatusResponse, after: &v1::GetStatusResponse) -> Option<Workers> {
        let since = |of: fn(&v1::GetStatusResponse) -> u64| of(after).checked_sub(of(before));
        Some(Workers {
            passed: since(|status| status.uptime_ns)?,
            threads: after.threads,
            work: since(|status| status.work_ns)?,
            stages: [
                since(|status| status.decode_ns)?,
                since(|status| status.augment_ns)?,
                since(|status| status.collate_ns)?,
            ],
            cpu: after.cpu_ns.zip(before.cpu_ns).and_then(|(after, before)| after.checked_sub(before)),
        })
    }

    /// The part of their time that they were at work.
    pub(super) fn busy(&self) -> f64 {
        self.work.of(self.passed.saturating_mul(u64::from(self.threads)))
    }

    /// The part of their work that a processor was theirs, if the system tells. Other threads of the process count too, so it is
    /// never too low.
    pub(super) fn scheduled(&self) -> Option<f64> {
        self.cpu.map(|cpu| cpu.of(self.work))
    }

    pub(super) fn per_second(&self, count: u64) -> f64 {
        if self.passed == 0 { 0.0 } else { count as f64 * 1e9 / self.passed as f64 }
    }
}

impl Time {
    /// Of a stream that may have begun in between.
    pub(super) fn between(before: Option<&v1::StreamStatus>, after: &v1::StreamStatus) -> Time {
        let since = |of: fn(&v1::StreamStatus) -> u64| of(after).saturating_sub(before.map_or(0, of));
        Time {
            making: since(|stream| stream.making_ns),
            sending: since(|stream| stream.sending_ns),
            wire: since(|stream| stream.wire_ns),
            memory_wait: since(|stream| stream.memory_wait_ns),
            stages: [
                since(|stream| stream.decode_ns),
                since(|stream| stream.augment_ns),
                since(|stream| stream.collate_ns),
            ],
            rows: since(|stream| stream.rows),
            bytes: since(|stream| stream.bytes),
        }
    }

    pub(super) fn plus(mut self, other: &Time) -> Time {
        self.making += other.making;
        self.sending += other.sending;
        self.wire += other.wire;
        self.memory_wait += other.memory_wait;
        self.rows += other.rows;
        self.bytes += other.bytes;
        self.stages.iter_mut().zip(other.stages).for_each(|(sum, stage)| *sum += stage);
        self
    }

    /// All of it.
    pub(super) fn all(&self) -> u64 {
        self.making + self.sending
    }

    /// Workers' time for the batches that it got.
    pub(super) fn work(&self) -> u64 {
        self.stages.iter().sum()
    }
}
