use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::error::{BatchError, Culprit};
use super::request::Request;
use super::schedule::Front;
use super::{Batch, Shared};

/// One stream of batches, in plan order. Dropping it stops the work for it.
pub struct Session {
    shared: Arc<Shared>,
    id: u64,
    request: Arc<Request>,
    substituted: u64,
    /// The batch that comes again and again, and how often it came.
    repeated: Option<(Arc<Lease>, u64)>,
    over: bool,
}

impl Session {
    pub(super) fn new(shared: Arc<Shared>, id: u64, request: Arc<Request>) -> Session {
        let session = Session { shared, id, request, substituted: 0, repeated: None, over: false };
        session.shared.locked(|schedule, after| {
            schedule.fill(id, &session.shared.memory, &session.shared.statistics, after);
        });
        session
    }

    /// Its number, never used twice in an engine.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it is a stream of.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The next batch, or none when `count` of them have come; wakes the task of `context` when there is one. After an error
    /// the session is over.
    ///
    /// # Errors
    /// [`BatchError`], naming the sample.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Arc<Lease>, BatchError>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if let Some((batch, times)) = &mut self.repeated {
            if self.request.count == Some(*times) {
                self.over = true;
                return Poll::Ready(None);
            }
            *times += 1;
            return Poll::Ready(Some(Ok(Arc::clone(batch))));
        }
        let front = self.shared.locked(|schedule, after| schedule.take(self.id, context.waker(), &self.shared, after));
        match front {
            Front::Waiting => Poll::Pending,
            Front::End => {
                self.over = true;
                Poll::Ready(None)
            }
            Front::Over(outcome) => {
                let outcome = outcome.and_then(|lease| self.within_budget(lease));
                self.over = outcome.is_err();
                if let (true, Ok(batch)) = (self.request.repeat, &outcome) {
                    self.repeated = Some((Arc::clone(batch), 1));
                }
                Poll::Ready(Some(outcome))
            }
        }
    }

    /// The next batch, waiting for it on this thread.
    ///
    /// # Errors
    /// As [`Session::poll_next`].
    pub fn next_blocking(&mut self) -> Option<Result<Arc<Lease>, BatchError>> {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut session = pin!(self);
        loop {
            match session.poll_next(&mut Context::from_waker(&waker)) {
                Poll::Ready(next) => return next,
                // Woken early, by whatever reason, it asks again.
                Poll::Pending => std::thread::park(),
            }
        }
    }

    fn within_budget(&mut self, batch: Arc<Lease>) -> Result<Arc<Lease>, BatchError> {
        self.substituted += batch.substitutions.len() as u64;
        match batch.substitutions.last() {
            Some(last) if self.substituted > self.request.bad_sample_budget => {
                let samples = self.request.recipe.samples();
                let culprit = Culprit {
                    dataset: self.request.recipe.dataset.name.clone(),
                    split: samples.name().to_owned(),
                    index: last.damaged,
                    key: samples.key(last.damaged),
                };
                let (found, budget) = (self.substituted, self.request.bad_sample_budget);
                Err(BatchError::BadSampleBudget { found, budget, culprit, cause: last.cause.clone() })
            }
            _ => Ok(batch),
        }
    }
}

/// A batch in the hands of one session. As long as it lives, the batch counts as held by that session.
pub struct Lease {
    batch: Arc<Batch>,
    /// How many sessions have taken the batch so far, this one included.
    pub shared_by: u32,
    /// The session's number.
    session: u64,
    shared: Arc<Shared>,
}

impl Lease {
    pub(super) fn new(batch: Arc<Batch>, shared_by: u32, session: u64, shared: Arc<Shared>) -> Arc<Lease> {
        Arc::new(Lease { batch, shared_by, session, shared })
    }
}

impl std::ops::Deref for Lease {
    type Target = Batch;
    fn deref(&self) -> &Batch {
        &self.batch
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // The session may hold nothing now, and be owed what it waits for.
        self.shared.gave_back(|schedule| schedule.give_back(self.session));
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.batch.fmt(f)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shared.locked(|schedule, after| schedule.remove(self.id, &self.shared.statistics, after));
        // Its memory may feed others.
        self.shared.gave_back(|_| ());
    }
}

/// Wakes a thread that waits.
struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
