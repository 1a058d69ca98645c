use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows that are claimed and finished one by one.
pub(super) struct Phase {
    rows: usize,
    claimed: AtomicUsize,
    finished: AtomicUsize,
}

impl Phase {
    /// `rows` rows, none claimed.
    pub(super) fn new(rows: usize) -> Phase {
        Phase { rows, claimed: AtomicUsize::new(0), finished: AtomicUsize::new(0) }
    }

    /// Whether it has no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Rows that nobody has claimed.
    pub(super) fn left(&self) -> usize {
        self.rows.saturating_sub(self.claimed.load(Ordering::Acquire))
    }

    /// The next row, for one worker alone.
    pub(super) fn claim(&self) -> Option<usize> {
        let claim = |claimed| (claimed < self.rows).then_some(claimed + 1);
        self.claimed.fetch_update(Ordering::AcqRel, Ordering::Acquire, claim).ok()
    }

    /// Counts one more; true for the last.
    pub(super) fn finish(&self) -> bool {
        self.finished.fetch_add(1, Ordering::AcqRel) + 1 == self.rows
    }

    /// Whether every row is finished.
    pub(super) fn is_over(&self) -> bool {
        self.finished.load(Ordering::Acquire) == self.rows
    }
}

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Decode and augment a row; write it, unless rows are mixed.
    Make(usize),
    /// Mix a row with its partner and write it.
    Mix(usize),
}

/// What the end of a task leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    Nothing,
    /// Rows can be mixed now.
    MixNow,
    /// The batch can be put together.
    Assemble,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_claimed_once_and_one_finish_is_the_last() {
        let phase = Phase::new(1000);
        let (claimed, last) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while phase.claim().is_some() {
                        claimed.fetch_add(1, Ordering::Relaxed);
                        last.fetch_add(usize::from(phase.finish()), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!((claimed.into_inner(), last.into_inner(), phase.left()), (1000, 1, 0));
        assert!(phase.is_over() && Phase::new(0).is_over());
    }
}
