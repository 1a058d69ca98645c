use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use super::standing::Starved;
use crate::engine::making::{BatchKey, GroupKey, Making, Task};
use crate::engine::request::Request;
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
    spent: usize,
    /// Batches that it took and that somebody still sends.
    pub(super) in_hand: usize,
    /// Nanoseconds of work done for it, started at the clock of the day it came.
    pub(super) virtual_time: u64,
    /// Whether it may have tasks to be claimed.
    pub(super) has_turn: bool,
    pub(super) waker: Option<Waker>,
    /// When it last took a batch.
    pub(super) moved: u64,
    /// Whether it wants to begin a batch and has no memory for it.
    pub(super) starved: Starved,
}

/// Most batches that are begun ahead for a session, however small: they are looked through under the lock.
const MOST_AHEAD: u64 = 128;

impl State {
    /// A session that has begun nothing. `virtual_time` and `moved` are those of a session that was served just now.
    pub(super) fn new(request: Arc<Request>, virtual_time: u64, moved: u64) -> State {
        State {
            group: GroupKey::of(&request),
            bytes: request.batch_bytes(),
            next: Some(request.start),
            left: if request.repeat { Some(request.count.unwrap_or(1).min(1)) } else { request.count },
            window: VecDeque::new(),
            spent: 0,
            in_hand: 0,
            virtual_time,
            has_turn: false,
            waker: None,
            moved,
            starved: Starved::default(),
            request,
        }
    }

    pub(super) fn holds(&self) -> bool {
        !self.window.is_empty() || self.in_hand > 0
    }

    /// Whether it has a batch that can be taken back: one that it has not taken, beside another one.
    pub(super) fn lends(&self) -> bool {
        !self.window.is_empty() && self.window.len() + self.in_hand > 1
    }

    /// The next batch that it will begin, if there is one.
    pub(super) fn coming(&self) -> Option<Cursor> {
        self.next.filter(|_| self.left != Some(0))
    }

    /// The batch that it begins now, if its prefetch lets it.
    pub(super) fn wanted(&self) -> Option<BatchKey> {
        let cursor = self.coming()?;
        let ahead = self.window.len() as u64;
        let too_much = (ahead + 1).saturating_mul(self.bytes) > self.request.prefetch_bytes;
        let full = ahead > 0 && (too_much || ahead >= MOST_AHEAD);
        (!full).then(|| BatchKey { group: self.group.clone(), cursor })
    }

    /// Puts the batch that it wanted behind those before it. `clock` is the time of the session that was served last.
    pub(super) fn begin(&mut self, making: Arc<Making>, clock: u64) {
        if !self.open().any(|making| making.claimable() > 0) {
            // Who had nothing to do for a while has not saved up time.
            self.virtual_time = self.virtual_time.max(clock);
        }
        // However it came by the batch: a session that has begun its last one waits for no memory.
        self.starved.end();
        self.has_turn = true;
        self.left = self.left.map(|left| left - 1);
        let steps = self.request.recipe.plan.steps_per_epoch();
        self.next = making.key.cursor.advanced(u64::from(self.request.stride), steps);
        self.window.push_back(making);
    }

    /// Those of its window that have tasks, or will have.
    pub(super) fn open(&mut self) -> impl Iterator<Item = &Arc<Making>> {
        while self.window.get(self.spent).is_some_and(|making| making.is_spent()) {
            self.spent += 1;
        }
        self.window.range(self.spent.min(self.window.len())..)
    }

    /// The next task, of its earliest batch that has any; if there is none, it has no turn until there is.
    pub(super) fn claim(&mut self, threads: usize) -> Option<(Arc<Making>, Task)> {
        let claimed = self.open().find_map(|making| Some((Arc::clone(making), making.claim(threads)?)));
        self.has_turn = claimed.is_some();
        claimed
    }

    /// The next task of one of its batches, if there is one now.
    pub(super) fn claim_of(&mut self, cursor: Cursor, threads: usize) -> Option<(Arc<Making>, Task)> {
        let making = self.open().find(|making| making.key.cursor == cursor)?;
        Some((Arc::clone(making), making.claim(threads)?))
    }

    /// How many tasks could be claimed now.
    pub(super) fn claimable(&self) -> usize {
        self.window.range(self.spent.min(self.window.len())..).map(|making| making.claimable()).sum()
    }

    pub(super) fn pop_front(&mut self) -> Option<Arc<Making>> {
        self.spent = self.spent.saturating_sub(1);
        self.window.pop_front()
    }

    /// Takes its last batch back; it wants to begin it again.
    pub(super) fn take_back(&mut self) -> Option<Arc<Making>> {
        let making = self.window.pop_back()?;
        self.spent = self.spent.min(self.window.len());
        self.next = Some(making.key.cursor);
        self.left = self.left.map(|left| left + 1);
        self.starved.begin();
        Some(making)
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
