use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Growing pauses between tries, until nothing has arrived for too long.
#[derive(Debug)]
pub(super) struct Retry {
    limit: Duration,
    since: Instant,
    pause: Duration,
    jitter: RandomState,
}

impl Retry {
    pub(super) fn new(limit: Duration) -> Retry {
        Retry { limit, since: Instant::now(), pause: FIRST, jitter: RandomState::new() }
    }

    /// Something arrived: the next failure starts from the shortest pause.
    pub(super) fn reset(&mut self) {
        (self.since, self.pause) = (Instant::now(), FIRST);
    }

    /// The next pause; none if the limit would be passed. Pauses double up to five seconds, and vary by half, so that the
    /// clients of a restarted server do not all come at once.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let left = self.limit.checked_sub(self.since.elapsed()).filter(|left| !left.is_zero())?;
        let share = self.jitter.hash_one(self.since.elapsed()) % 1000;
        let pause = self.pause.mul_f64(0.5 + share as f64 / 1000.0).min(left);
        self.pause = (self.pause * 2).min(LONGEST);
        Some(pause)
    }

    pub(super) fn waited(&self) -> Duration {
        self.since.elapsed()
    }
}

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_the_limit() {
        let mut retry = Retry::new(Duration::from_secs(3600));
        let pauses: Vec<_> = (0..12).filter_map(|_| retry.next()).collect();
        assert!(pauses[0] <= FIRST.mul_f64(1.5) && pauses[11] >= LONGEST.mul_f64(0.5));
        retry.reset();
        assert!(retry.next().is_some_and(|pause| pause <= FIRST.mul_f64(1.5)));
        assert_eq!(Retry::new(Duration::ZERO).next(), None);
    }
}
