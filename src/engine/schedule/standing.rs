use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Schedule;

/// How one session stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Batches begun and not yet taken.
    pub ahead: usize,
    /// Batches of those that are ready.
    pub ready: usize,
    /// Since when its next batch is there to be taken; none if it is not.
    pub ready_since: Option<Instant>,
    /// How long it has wanted to begin a batch and had no memory for it, up to now.
    pub starved: Duration,
}

/// How long a session has had no memory for a batch that it wanted to begin.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Starved {
    total: Duration,
    since: Option<Instant>,
}

impl Starved {
    pub(super) fn is(self) -> bool {
        self.since.is_some()
    }

    /// It has none. Tried again and again, it reads the clock once.
    pub(super) fn begin(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// It has some, or needs none any more.
    pub(super) fn end(&mut self) {
        self.total = self.so_far();
        self.since = None;
    }

    fn so_far(self) -> Duration {
        self.total + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl Schedule {
    /// How each session stands now.
    pub(in crate::engine) fn standings(&self) -> BTreeMap<u64, Standing> {
        let standing = |session: &super::state::State| {
            let finished = session.window.iter().map(|making| making.outcome()?.as_ref().ok());
            let finished: Vec<_> = finished.map(|batch| Some(batch?.finished)).collect();
            Standing {
                ahead: finished.len(),
                ready: finished.iter().flatten().count(),
                ready_since: finished.first().copied().flatten(),
                starved: session.starved.so_far(),
            }
        };
        self.sessions.iter().map(|(id, session)| (id, standing(session))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_without_memory_adds_up_and_stops_with_it() {
        let mut starved = Starved::default();
        assert!(!starved.is() && starved.so_far() == Duration::ZERO);
        starved.begin();
        let since = starved.since;
        starved.begin();
        assert!(starved.is() && starved.since == since, "it is one time, however often memory is asked for");
        let (earlier, passed) = (Instant::now(), Duration::from_secs(5));
        starved.since = earlier.checked_sub(passed);
        starved.end();
        let total = starved.so_far();
        assert!(!starved.is() && total >= passed);
        assert_eq!(starved.so_far(), total);
        starved.begin();
        starved.end();
        assert!(starved.so_far() >= total);
    }
}
