use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;

use super::Shared;
use super::error::BatchError;
use super::making::{Making, Task};
use super::memory::Memory;
use super::request::Request;
use super::session::Lease;
use super::statistics::Statistics;
use crate::plan::Cursor;

mod known;
mod sessions;
mod standing;
mod state;
#[cfg(test)]
mod tests;

use known::Known;
use sessions::Sessions;
pub use standing::Standing;
use state::State;

/// Who wants which batch, who has which, and whose turn it is. One lock guards all of it; nothing under the lock waits,
/// allocates a payload, frees one or calls out: that is left in [`After`] for when the lock is gone. What is done under it for a batch takes
/// no longer when there are more sessions, but for those that share the batch.
#[derive(Default)]
pub(super) struct Schedule {
    sessions: Sessions,
    known: Known,
    /// Workers that are at work.
    active: usize,
    threads: usize,
    /// Virtual time of the session that was served last.
    clock: u64,
    /// The session whose turn it is, and the batch that is being made for it.
    turn: Option<(u64, Cursor)>,
    /// Counts every batch taken, to tell who moved last.
    progress: u64,
    next_id: u64,
}

/// How far a session may come before others within one batch. A batch that takes less is made in one go: made a row at a time in turn
/// with those of a thousand others, all would be half made, and each come as late as the last.
const TURN_NANOSECONDS: u64 = 5_000_000;

/// What is to be done when the lock is gone.
#[derive(Default)]
pub(super) struct After {
    pub(super) wake: Vec<Waker>,
    /// Workers to be started.
    pub(super) start: usize,
    /// Makings of no rows, which are over at once.
    pub(super) assemble: Vec<Arc<Making>>,
    /// Freed outside of the lock, since freeing calls back.
    pub(super) garbage: Vec<Arc<Making>>,
}

/// How the front of a session's window stands.
pub(super) enum Front {
    /// It is over; the session has it now.
    Over(Result<Arc<Lease>, BatchError>),
    /// It is being made; the waker is kept.
    Waiting,
    /// There is none and will be none.
    End,
}

impl Schedule {
    pub(super) fn new(threads: usize) -> Schedule {
        Schedule { threads, ..Schedule::default() }
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// What one batch of every session takes together.
    pub(super) fn guaranteed(&self) -> u64 {
        self.sessions.guaranteed()
    }

    pub(super) fn add(&mut self, request: Arc<Request>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.sessions.insert(id, State::new(request, self.clock, self.progress));
        id
    }

    pub(super) fn remove(&mut self, id: u64, statistics: &Statistics, after: &mut After) {
        let Some(session) = self.sessions.remove(id) else { return };
        for making in session.window {
            self.let_go(id, making, statistics, after);
        }
        // What was kept for it alone is kept for nobody.
        let group = |making: &&Arc<Making>| making.key.group == session.group;
        for making in self.known.kept().filter(group).map(Arc::clone).collect::<Vec<_>>() {
            self.give_up_passed(&making, after);
        }
    }

    /// A batch that a session took is let go.
    pub(super) fn give_back(&mut self, id: u64) {
        self.sessions.change(id, |session| session.in_hand -= 1);
    }

    /// Begins as many batches for `id` as its prefetch and the memory allow.
    pub(super) fn fill(&mut self, id: u64, memory: &Arc<Memory>, statistics: &Statistics, after: &mut After) {
        while let Some((key, session)) = self.sessions.get(id).and_then(|session| Some((session.wanted()?, session))) {
            let making = if let Some(making) = self.known.get(&key) {
                statistics.shared.fetch_add(1, Relaxed);
                Arc::clone(making)
            } else {
                let (request, bytes) = (Arc::clone(&session.request), session.bytes);
                if !self.make_room(id, bytes, memory, statistics, after) {
                    self.sessions.change(id, |session| session.starved.begin());
                    break;
                }
                let making = Making::new(&request, key, memory.charge(bytes), bytes);
                if making.is_empty() {
                    after.assemble.push(Arc::clone(&making));
                }
                making
            };
            self.known.hold(id, &making);
            let clock = self.clock;
            self.sessions.change(id, |session| {
                session.begin(Arc::clone(&making), clock);
                // It waited for memory, and gets what was made for another one: nobody else will wake it.
                if session.window.len() == 1 && making.outcome().is_some() {
                    after.wake.extend(session.waker.take());
                }
            });
            self.give_up_passed(&making, after);
        }
        self.start_workers(after);
    }

    /// Gives what came back to sessions that had no memory: first to those that hold nothing. What is beyond that goes to who took a batch
    /// last, as long as there is any: a slow session would keep its batches until they are taken back, and made a second time.
    pub(super) fn fill_starved(&mut self, memory: &Arc<Memory>, statistics: &Statistics, after: &mut After) {
        for id in self.sessions.needy() {
            self.fill(id, memory, statistics, after);
        }
        while let Some(id) = self.sessions.last_borrower() {
            self.fill(id, memory, statistics, after);
            if self.sessions.last_borrower() == Some(id) {
                return;
            }
        }
    }

    /// Whether `bytes` may be taken by `id`. A session that holds nothing takes what it was admitted with, and if others have
    /// borrowed that, they lose it; everything beyond one batch each is borrowed from what nobody is owed.
    fn make_room(
        &mut self,
        id: u64,
        bytes: u64,
        memory: &Arc<Memory>,
        statistics: &Statistics,
        after: &mut After,
    ) -> bool {
        let borrows = self.sessions.get(id).is_some_and(State::holds);
        let owed = if borrows { self.sessions.owed() } else { 0 };
        let freed: u64 = after.garbage.iter().map(|making| making.bytes).sum();
        let mut missing = (memory.used() + owed + bytes).saturating_sub(memory.budget + freed);
        while missing > 0 {
            let before = after.garbage.len();
            // The batch that is needed last goes first.
            let bytes = if let Some(making) = self.known.last_kept().map(Arc::clone) {
                self.give_up(&making, after);
                making.bytes
            } else {
                let lender = if borrows { None } else { self.sessions.first_lender() };
                let taken = lender.and_then(|id| Some((id, self.sessions.change(id, State::take_back)??)));
                let Some((id, making)) = taken else { return false };
                let bytes = making.bytes;
                self.let_go(id, making, statistics, after);
                bytes
            };
            if after.garbage.len() > before {
                missing = missing.saturating_sub(bytes);
            }
        }
        // What is let go is free only when its last worker has left it; that calls back.
        memory.used() + owed + bytes <= memory.budget
    }

    /// A session does not want a batch of its window any more; if nobody does, its making stops.
    fn let_go(&mut self, id: u64, making: Arc<Making>, statistics: &Statistics, after: &mut After) {
        if !self.known.leave(id, &making.key) {
            return;
        }
        if making.outcome().is_none() {
            making.cancel();
            statistics.abandoned.fetch_add(1, Relaxed);
        }
        after.garbage.push(making);
    }

    /// Keeps a batch no more.
    fn give_up(&mut self, making: &Arc<Making>, after: &mut After) {
        if self.known.give_up(&making.key) {
            after.garbage.push(Arc::clone(making));
        }
    }

    /// Gives up a batch, if it is kept and nobody will come to it any more.
    fn give_up_passed(&mut self, making: &Arc<Making>, after: &mut After) {
        if self.known.is_kept(&making.key) && !self.sessions.await_it(&making.key) {
            self.give_up(making, after);
        }
    }

    /// Takes the front of a session's window, if it is over.
    pub(super) fn take(&mut self, id: u64, waker: &Waker, shared: &Arc<Shared>, after: &mut After) -> Front {
        let Shared { memory, statistics, .. } = &**shared;
        self.fill(id, memory, statistics, after);
        let Some(session) = self.sessions.get(id) else { return Front::End };
        let Some(front) = session.window.front() else {
            return if session.starved.is() { self.wait(id, waker) } else { Front::End };
        };
        let Some(outcome) = front.outcome() else {
            statistics.waits.fetch_add(1, Relaxed);
            return self.wait(id, waker);
        };
        let outcome = outcome.clone().map(|batch| Lease::new(batch, front.take(), id, Arc::clone(shared)));
        self.progress += 1;
        statistics.taken.fetch_add(1, Relaxed);
        let (progress, in_hand) = (self.progress, usize::from(outcome.is_ok()));
        let taken = self.sessions.change(id, |session| {
            session.in_hand += in_hand;
            session.waker = None;
            session.moved = progress;
            session.pop_front()
        });
        if let Some(making) = taken.flatten() {
            // A session far behind is not worth all of the memory: it makes what is gone again.
            if outcome.is_ok() && self.sessions.await_it(&making.key) {
                self.known.keep(&making.key, memory.budget / 4);
            }
            self.let_go(id, making, statistics, after);
        }
        self.fill(id, memory, statistics, after);
        Front::Over(outcome)
    }

    fn wait(&mut self, id: u64, waker: &Waker) -> Front {
        self.sessions.change(id, |session| session.waker = Some(waker.clone()));
        Front::Waiting
    }

    /// Wakes the sessions that wait for `making`.
    pub(super) fn wake(&mut self, making: &Arc<Making>, after: &mut After) {
        for id in self.known.holders(&making.key) {
            self.sessions.change(*id, |session| {
                if session.window.front().is_some_and(|front| Arc::ptr_eq(front, making)) {
                    after.wake.extend(session.waker.take());
                }
            });
        }
    }

    /// `making` has tasks again, now that its rows can be mixed.
    pub(super) fn mix(&mut self, making: &Arc<Making>, after: &mut After) {
        for id in self.known.holders(&making.key) {
            self.sessions.change(*id, |session| session.has_turn = true);
        }
        self.start_workers(after);
    }

    /// Starts as many workers as there are tasks and idle threads.
    fn start_workers(&mut self, after: &mut After) {
        let start = self.sessions.claimable(self.threads - self.active);
        self.active += start;
        after.start += start;
    }

    /// The next task for a worker: of the batch in whose making it is, as long as that is its turn; then of the session that has had the
    /// least work done, its earliest batch first. `spent` is what the worker's last task took, and whose it was. None sends the worker home.
    pub(super) fn next(&mut self, spent: Option<(u64, u64)>) -> Option<(u64, Arc<Making>, Task)> {
        if let Some((id, nanoseconds)) = spent {
            self.sessions.change(id, |session| session.virtual_time += nanoseconds);
        }
        let threads = self.threads;
        let least = self.sessions.least_time().unwrap_or_default();
        let turn = self.turn.take().and_then(|(id, cursor)| {
            let is_ahead = self.sessions.get(id)?.virtual_time > least + TURN_NANOSECONDS;
            let claimed =
                if is_ahead { None } else { self.sessions.change(id, |session| session.claim_of(cursor, threads))? };
            claimed.map(|(making, task)| (id, making, task))
        });
        let claimed = turn.or_else(|| {
            while let Some(id) = self.sessions.first_turn() {
                let claimed = self.sessions.change(id, |session| Some((session.virtual_time, session.claim(threads)?)));
                if let Some((virtual_time, (making, task))) = claimed.flatten() {
                    self.clock = self.clock.max(virtual_time);
                    return Some((id, making, task));
                }
            }
            None
        });
        match &claimed {
            Some((id, making, _)) => self.turn = Some((*id, making.key.cursor)),
            None => self.active -= 1,
        }
        claimed
    }
}
