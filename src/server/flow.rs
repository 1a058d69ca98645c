use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use feedline_proto::v1;

use super::socket::Socket;
use crate::engine::{Batch, Standing};

/// What a stream has sent, and what it waited for meanwhile.
pub(super) struct Flow {
    /// Who it is; its counters are zero here.
    about: v1::StreamStatus,
    /// The socket of its connection.
    socket: Option<Arc<Socket>>,
    /// The stream takes this lock once for each part, and whoever asks for the status once: nobody waits for it.
    times: Mutex<Times>,
}

/// All time of a stream, divided.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// Up to when it is divided.
    until: Instant,
    /// Whether HTTP/2 has asked for a part and did not get one.
    asked: bool,
    making: Duration,
    sending: Duration,
    batches: u64,
    rows: u64,
    bytes: u64,
    work: v1::Timings,
}

impl Flow {
    /// A stream that begins now.
    pub(super) fn new(about: v1::StreamStatus, socket: Option<Arc<Socket>>) -> Flow {
        let times = Times {
            until: Instant::now(),
            asked: false,
            making: Duration::ZERO,
            sending: Duration::ZERO,
            batches: 0,
            rows: 0,
            bytes: 0,
            work: v1::Timings::default(),
        };
        Flow { about, socket, times: Mutex::new(times) }
    }

    /// Who it is.
    pub(super) fn about(&self) -> &v1::StreamStatus {
        &self.about
    }

    /// HTTP/2 asks for a part: what it had is on its way.
    pub(super) fn asked(&self) {
        self.with(|times| {
            // Asked twice for the same, it still waits.
            if !times.asked {
                times.divide(Instant::now(), None);
                times.asked = true;
            }
        });
    }

    /// It gets a part of so many bytes of `batch`, whose last one it may be.
    pub(super) fn handed_out(&self, batch: &Batch, bytes: usize, is_last: bool) {
        self.with(|times| {
            times.divide(Instant::now(), Some(batch.finished));
            times.asked = false;
            times.bytes += bytes as u64;
            if is_last {
                times.batches += 1;
                times.rows += batch.rows() as u64;
                times.work.decode_ns += batch.timings.decode_ns;
                times.work.augment_ns += batch.timings.augment_ns;
                times.work.collate_ns += batch.timings.collate_ns;
            }
        });
    }

    /// Its counters up to now. `standing` is how its session stands, none if that is over.
    pub(super) fn status(&self, standing: Standing) -> v1::StreamStatus {
        let times = self.with(|times| {
            times.divide(Instant::now(), standing.ready_since);
            *times
        });
        v1::StreamStatus {
            batches_ahead: standing.ahead as u32,
            batches_ready: standing.ready as u32,
            batches: times.batches,
            rows: times.rows,
            bytes: times.bytes,
            making_ns: nanoseconds(times.making),
            sending_ns: nanoseconds(times.sending),
            wire_ns: self.socket.as_ref().map_or(0, |socket| nanoseconds(socket.under_way())),
            memory_wait_ns: nanoseconds(standing.starved),
            decode_ns: times.work.decode_ns,
            augment_ns: times.work.augment_ns,
            collate_ns: times.work.collate_ns,
            ..self.about.clone()
        }
    }

    /// Batches and payload bytes handed out.
    pub(super) fn sent(&self) -> (u64, u64) {
        self.with(|times| (times.batches, times.bytes))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Times) -> R) -> R {
        f(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Times {
    /// Divides the time up to `now`. It waited for the making as long as it was asked and had nothing; since `ready` it has.
    fn divide(&mut self, now: Instant, ready: Option<Instant>) {
        let passed = now.saturating_duration_since(self.until);
        let without = ready.unwrap_or(now).saturating_duration_since(self.until).min(passed);
        let making = if self.asked { without } else { Duration::ZERO };
        self.making += making;
        self.sending += passed - making;
        self.until += passed;
    }
}

/// As the contract counts.
pub(super) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Divides a second of a stream that is asked, or not, and whose batch is ready after so many milliseconds, or not yet.
    fn divided(asked: bool, ready_after: Option<i64>) -> (u128, u128) {
        let flow = Flow::new(v1::StreamStatus::default(), None);
        flow.with(|times| {
            let (before, begin) = (times.until, times.until + Duration::from_secs(10));
            let ready = ready_after.map(|ms| before + Duration::from_millis((10_000 + ms) as u64));
            (times.until, times.asked) = (begin, asked);
            times.divide(begin + Duration::from_secs(1), ready);
            (times.making.as_millis(), times.sending.as_millis())
        })
    }

    #[test]
    fn every_moment_is_the_makings_or_the_clients() {
        assert_eq!(divided(true, None), (1000, 0));
        assert_eq!(divided(true, Some(300)), (300, 700), "since it is ready it is the client's");
        assert_eq!(divided(true, Some(-200)), (0, 1000), "it was ready before");
        assert_eq!(divided(true, Some(1500)), (1000, 0), "another thread read the clock a little later");
        assert_eq!(divided(false, None), (0, 1000), "who does not ask waits for nothing");
        assert_eq!(divided(false, Some(300)), (0, 1000));
    }
}
