use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows that are claimed and finished, one or several at a time.
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

    /// The next rows, at most `most` of them and at least one, for one worker alone.
    pub(super) fn claim(&self, most: usize) -> Option<Rows> {
        let end = |first: usize| self.rows.min(first + most.max(1));
        let claim = |claimed| (claimed < self.rows).then(|| end(claimed));
        let first = self.claimed.fetch_update(Ordering::AcqRel, Ordering::Acquire, claim).ok()?;
        Some(Rows { first, end: end(first) })
    }

    /// Counts `rows` more; true for the last.
    pub(super) fn finish(&self, rows: Rows) -> bool {
        self.finished.fetch_add(rows.len(), Ordering::AcqRel) + rows.len() == self.rows
    }

    /// Whether every row is finished.
    pub(super) fn is_over(&self) -> bool {
        self.finished.load(Ordering::Acquire) == self.rows
    }
}

/// Rows that one worker has claimed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    first: usize,
    end: usize,
}

impl Rows {
    pub(super) fn len(self) -> usize {
        self.end - self.first
    }

    pub(super) fn iter(self) -> Range<usize> {
        self.first..self.end
    }
}

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// Decode and augment rows; write them, unless rows are mixed.
    Make(Rows),
    /// Mix rows with their partners and write them.
    Mix(Rows),
}

impl Task {
    pub(super) fn rows(self) -> Rows {
        match self {
            Task::Make(rows) | Task::Mix(rows) => rows,
        }
    }
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
            for most in 0..4 {
                let (phase, claimed, last) = (&phase, &claimed, &last);
                scope.spawn(move || {
                    while let Some(rows) = phase.claim(most) {
                        assert!((1..=most.max(1)).contains(&rows.len()) && rows.iter().end <= 1000);
                        claimed.fetch_add(rows.len(), Ordering::Relaxed);
                        last.fetch_add(usize::from(phase.finish(rows)), Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!((claimed.into_inner(), last.into_inner(), phase.left()), (1000, 1, 0));
        assert!(phase.is_over() && Phase::new(0).is_over());
    }
}
