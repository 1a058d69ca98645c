use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};
use std::task::Waker;

use super::Shared;
use super::error::BatchError;
use super::making::{BatchKey, GroupKey, Making, Task};
use super::memory::Memory;
use super::request::Request;
use super::session::Lease;
use super::statistics::Statistics;

mod kept;
mod known;
mod standing;
mod state;

use kept::Kept;
use known::Known;
pub use standing::Standing;
use standing::Starved;
use state::State;

/// Who wants which batch, who has which, and whose turn it is. One lock guards all of it; nothing under the lock waits,
/// allocates a payload, frees one or calls out: that is left in [`After`] for when the lock is gone.
pub(super) struct Schedule {
    sessions: BTreeMap<u64, State>,
    known: Known,
    kept: Kept,
    /// Workers that are at work.
    active: usize,
    threads: usize,
    /// Virtual time of the session that was served last.
    clock: u64,
    /// Counts every batch taken, to tell who moved last.
    progress: u64,
    next_id: u64,
}

/// Most batches that are begun ahead for a session, however small: they are looked through under the lock.
const MOST_AHEAD: u64 = 128;

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
        Schedule {
            sessions: BTreeMap::new(),
            known: Known::new(),
            kept: Kept::default(),
            active: 0,
            threads,
            clock: 0,
            progress: 0,
            next_id: 0,
        }
    }

    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// What one batch of every session takes together.
    pub(super) fn guaranteed(&self) -> u64 {
        self.sessions.values().map(|session| session.bytes).sum()
    }

    pub(super) fn add(&mut self, request: Arc<Request>) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let state = State {
            group: GroupKey::of(&request),
            bytes: request.batch_bytes(),
            next: Some(request.start),
            left: if request.repeat { Some(request.count.unwrap_or(1).min(1)) } else { request.count },
            window: VecDeque::new(),
            spent: 0,
            in_hand: Weak::new(),
            virtual_time: self.clock,
            waker: None,
            moved: self.progress,
            starved: Starved::default(),
            request,
        };
        self.sessions.insert(id, state);
        id
    }

    pub(super) fn remove(&mut self, id: u64, statistics: &Statistics, after: &mut After) {
        if let Some(session) = self.sessions.remove(&id) {
            for making in session.window {
                self.let_go(making, statistics, after);
            }
            self.tidy(None, after);
        }
    }

    /// Begins as many batches for `id` as its prefetch and the memory allow.
    pub(super) fn fill(&mut self, id: u64, memory: &Arc<Memory>, statistics: &Statistics, after: &mut After) {
        loop {
            let Some(session) = self.sessions.get(&id) else { return };
            let (Some(cursor), true) = (session.next, session.left != Some(0)) else { return };
            let ahead = session.window.len() as u64;
            let too_much = (ahead + 1).saturating_mul(session.bytes) > session.request.prefetch_bytes;
            if ahead > 0 && (too_much || ahead >= MOST_AHEAD) {
                return;
            }
            let key = BatchKey { group: session.group.clone(), cursor };
            let (request, bytes) = (Arc::clone(&session.request), session.bytes);
            let making = match self.known.get(&key).filter(|making| !making.is_cancelled()) {
                Some(making) => {
                    statistics.shared.fetch_add(1, Relaxed);
                    making
                }
                None => {
                    let room = self.make_room(id, bytes, memory, statistics, after);
                    if !room {
                        if let Some(session) = self.sessions.get_mut(&id) {
                            session.starved.begin();
                        }
                        return;
                    }
                    let making = Making::new(&request, key.clone(), memory.charge(bytes), bytes);
                    self.known.insert(key, &making);
                    if making.is_empty() {
                        after.assemble.push(Arc::clone(&making));
                    }
                    making
                }
            };
            let clock = self.clock;
            let Some(session) = self.sessions.get_mut(&id) else { return };
            if !session.claimable() {
                // Who had nothing to do for a while has not saved up time.
                session.virtual_time = session.virtual_time.max(clock);
            }
            // However it came by the batch: a session that has begun its last one waits for no memory.
            session.starved.end();
            session.window.push_back(Arc::clone(&making));
            session.left = session.left.map(|left| left - 1);
            session.next = cursor.advanced(u64::from(request.stride), request.recipe.plan.steps_per_epoch());
            self.tidy(Some(&making), after);
            self.start_workers(after);
        }
    }

    /// Gives what came back to sessions that had no memory: first to those that hold nothing. What is beyond that goes to who took a batch
    /// last, as long as there is any: a slow session would keep its batches until they are taken back, and made a second time.
    pub(super) fn fill_starved(&mut self, memory: &Arc<Memory>, statistics: &Statistics, after: &mut After) {
        // What a session holds may change while it is looked at: a batch is let go without the lock.
        let (borrowers, needy): (Vec<_>, Vec<_>) = self
            .sessions
            .iter()
            .filter(|(_, session)| session.starved.is())
            .map(|(id, session)| (session.holds(), session.moved, *id))
            .partition(|(holds, ..)| *holds);
        for (_, _, id) in needy {
            self.fill(id, memory, statistics, after);
        }
        let mut borrowers: BinaryHeap<(u64, u64)> = borrowers.into_iter().map(|(_, moved, id)| (moved, id)).collect();
        while let Some((_, id)) = borrowers.pop() {
            self.fill(id, memory, statistics, after);
            if self.sessions.get(&id).is_some_and(|session| session.starved.is()) {
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
        let borrows = self.sessions.get(&id).is_some_and(State::holds);
        let owed = if borrows {
            self.sessions.values().filter(|session| !session.holds()).map(|session| session.bytes).sum()
        } else {
            0
        };
        let freed: u64 = after.garbage.iter().map(|making| making.bytes).sum();
        let mut missing = (memory.used() + owed + bytes).saturating_sub(memory.budget + freed);
        while missing > 0 {
            // The batch that is needed last goes first.
            let making = self.kept.pop().or_else(|| if borrows { None } else { self.take_back() });
            let Some(making) = making else { return false };
            let before = after.garbage.len();
            let bytes = making.bytes;
            self.let_go(making, statistics, after);
            if after.garbage.len() > before {
                missing = missing.saturating_sub(bytes);
            }
        }
        // What is let go is free only when its last worker has left it; that calls back.
        memory.used() + owed + bytes <= memory.budget
    }

    /// The last unsent batch of the session that has not moved for the longest time, of those that hold more than one.
    fn take_back(&mut self) -> Option<Arc<Making>> {
        let borrowers = self.sessions.values_mut().filter(|session| {
            let in_hand = usize::from(session.in_hand.strong_count() > 0);
            session.window.len() + in_hand > 1 && !session.window.is_empty()
        });
        let session = borrowers.min_by_key(|session| session.moved)?;
        let making = session.pop_back()?;
        session.next = Some(making.key.cursor);
        session.left = session.left.map(|left| left + 1);
        session.starved.begin();
        Some(making)
    }

    /// Drops one interest in a making; nobody's making stops.
    fn let_go(&mut self, making: Arc<Making>, statistics: &Statistics, after: &mut After) {
        if self.sessions.values().any(|session| session.has(&making)) || self.kept.has(&making) {
            return;
        }
        if making.outcome().is_none() {
            making.cancel();
            statistics.abandoned.fetch_add(1, Relaxed);
        }
        self.known.remove(&making.key);
        after.garbage.push(making);
    }

    /// Lets go of kept batches that nobody will come to any more: of `passed`, which a session has just come to, or of any.
    fn tidy(&mut self, passed: Option<&Arc<Making>>, after: &mut After) {
        let Schedule { sessions, kept, known, .. } = self;
        let looked_at = |making: &Arc<Making>| passed.is_none_or(|passed| Arc::ptr_eq(passed, making));
        let gone = |making: &Arc<Making>| looked_at(making) && !awaited(sessions, making);
        kept.give_up(gone, |making| {
            known.remove(&making.key);
            after.garbage.push(making);
        });
    }

    /// Takes the front of a session's window, if it is over.
    pub(super) fn take(&mut self, id: u64, waker: &Waker, shared: &Arc<Shared>, after: &mut After) -> Front {
        let Shared { memory, statistics, .. } = &**shared;
        self.fill(id, memory, statistics, after);
        let Some(session) = self.sessions.get_mut(&id) else { return Front::End };
        let Some(front) = session.window.front() else {
            if session.starved.is() {
                session.waker = Some(waker.clone());
                return Front::Waiting;
            }
            return Front::End;
        };
        let Some(outcome) = front.outcome() else {
            statistics.waits.fetch_add(1, Relaxed);
            session.waker = Some(waker.clone());
            return Front::Waiting;
        };
        let outcome = outcome.clone().map(|batch| Lease::new(batch, front.take(), Arc::clone(shared)));
        session.in_hand = outcome.as_ref().map_or_else(|_| Weak::new(), Arc::downgrade);
        session.waker = None;
        self.progress += 1;
        session.moved = self.progress;
        statistics.taken.fetch_add(1, Relaxed);
        if let Some(making) = session.pop_front() {
            // A session far behind is not worth all of the memory: it makes what is gone again.
            if outcome.is_ok() && awaited(&self.sessions, &making) {
                self.kept.push(&making, memory.budget / 4);
            }
            after.garbage.push(making);
        }
        self.fill(id, memory, statistics, after);
        Front::Over(outcome)
    }

    /// Wakes the sessions that wait for `making`.
    pub(super) fn wake(&mut self, making: &Arc<Making>, after: &mut After) {
        for session in self.sessions.values_mut() {
            if session.window.front().is_some_and(|front| Arc::ptr_eq(front, making)) {
                after.wake.extend(session.waker.take());
            }
        }
    }

    /// Wakes every session whose next batch was made for another one while it waited for memory: nobody else will.
    pub(super) fn wake_fed(&mut self, after: &mut After) {
        let fed = |session: &State| session.window.front().is_some_and(|front| front.outcome().is_some());
        for session in self.sessions.values_mut().filter(|session| fed(session)) {
            after.wake.extend(session.waker.take());
        }
    }

    /// Starts as many workers as there are tasks and idle threads.
    pub(super) fn start_workers(&mut self, after: &mut After) {
        let idle = self.threads - self.active;
        if idle == 0 {
            return;
        }
        let tasks = self.sessions.values_mut().flat_map(State::open).map(|making| making.claimable());
        let mut wanted = 0;
        for claimable in tasks {
            wanted += claimable;
            if wanted >= idle {
                break;
            }
        }
        let start = wanted.min(idle);
        self.active += start;
        after.start += start;
    }

    /// The next task for a worker: of the session that has had the least work done, its earliest batch first. `spent` is what
    /// the worker's last task took, and whose it was. None sends the worker home.
    pub(super) fn next(&mut self, spent: Option<(u64, u64)>) -> Option<(u64, Arc<Making>, Task)> {
        if let Some((id, nanoseconds)) = spent
            && let Some(session) = self.sessions.get_mut(&id)
        {
            session.virtual_time += nanoseconds;
        }
        let threads = self.threads;
        let turn = self.sessions.iter_mut().filter_map(|(id, session)| session.claimable().then_some((id, session)));
        let Some((id, session)) = turn.min_by_key(|(_, session)| session.virtual_time) else {
            self.active -= 1;
            return None;
        };
        self.clock = self.clock.max(session.virtual_time);
        let claimed = session.open().find_map(|making| Some((*id, Arc::clone(making), making.claim(threads)?)));
        if claimed.is_none() {
            self.active -= 1;
        }
        claimed
    }
}

/// Whether a session of the same group has yet to come to `making`, or has it before it.
fn awaited(sessions: &BTreeMap<u64, State>, making: &Arc<Making>) -> bool {
    let BatchKey { group, cursor } = &making.key;
    sessions.values().any(|session| session.group == *group && session.is_behind(*cursor))
}
