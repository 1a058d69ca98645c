use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::Waker;

use super::standing::Starved;
use crate::engine::making::{GroupKey, Making};
use crate::engine::request::Request;
use crate::engine::session::Lease;
use crate::plan::Cursor;

/// One session.
pub(super) struct State {
    pub(super) request: Arc<Request>,
    pub(super) group: GroupKey,
    pub(super) bytes: u64,
    /// Next batch to be begun; none when the epochs are used up.
    pub(super) next: Option<Cursor>,
    /// Batches still to be begun; none: without end.
    pub(super) left: Option<u64>,
    /// Begun and not yet taken, in order.
    pub(super) window: VecDeque<Arc<Making>>,
    /// How many at its front have no task left: nobody looks at those again.
    pub(super) spent: usize,
    /// The batch taken last, while somebody still sends it.
    pub(super) in_hand: Weak<Lease>,
    /// Nanoseconds of work done for it, started at the clock of the day it came.
    pub(super) virtual_time: u64,
    pub(super) waker: Option<Waker>,
    /// When it last took a batch.
    pub(super) moved: u64,
    /// Whether it wants to begin a batch and has no memory for it.
    pub(super) starved: Starved,
}

impl State {
    pub(super) fn holds(&self) -> bool {
        !self.window.is_empty() || self.in_hand.strong_count() > 0
    }

    /// Those of its window that have tasks, or will have.
    pub(super) fn open(&mut self) -> impl Iterator<Item = &Arc<Making>> {
        while self.window.get(self.spent).is_some_and(|making| making.is_spent()) {
            self.spent += 1;
        }
        self.window.range(self.spent.min(self.window.len())..)
    }

    pub(super) fn claimable(&mut self) -> bool {
        self.open().any(|making| making.claimable() > 0)
    }

    pub(super) fn pop_front(&mut self) -> Option<Arc<Making>> {
        self.spent = self.spent.saturating_sub(1);
        self.window.pop_front()
    }

    pub(super) fn pop_back(&mut self) -> Option<Arc<Making>> {
        let making = self.window.pop_back();
        self.spent = self.spent.min(self.window.len());
        making
    }

    /// Whether `making` is in its window, which is in the order of cursors.
    pub(super) fn has(&self, making: &Arc<Making>) -> bool {
        let found = self.window.binary_search_by_key(&making.key.cursor, |other| other.key.cursor);
        self.group == making.key.group && found.is_ok_and(|at| Arc::ptr_eq(&self.window[at], making))
    }

    /// Whether it will still come to `cursor` of its own group.
    pub(super) fn is_behind(&self, cursor: Cursor) -> bool {
        let steps = self.request.recipe.plan.steps_per_epoch();
        let (Some(next), at) = (self.next, cursor.steps_from_start(steps)) else { return false };
        let next = next.steps_from_start(steps);
        let stride = u128::from(self.request.stride);
        let away = at.wrapping_sub(next);
        at >= next && away.is_multiple_of(stride) && self.left.is_none_or(|left| away / stride < u128::from(left))
    }
}
