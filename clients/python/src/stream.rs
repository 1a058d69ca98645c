use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use feedline::client::{self, Assembler, BatchStream};
use feedline::engine::Session;
use feedline::wire::Parts;
use pyo3::prelude::*;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::errors::{Failure, ServerError};
use crate::home::Home;
use crate::wait::{TICK, runtime};

/// Where a stream's batches come from.
// One of each stream, on its thread's stack.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Feed {
    Remote(Box<BatchStream>),
    Local { session: Session, assembler: Assembler, batches: u64 },
}

impl Feed {
    pub(crate) fn local(session: Session) -> Feed {
        let assembler = Assembler::new(session.request().payload_bytes());
        Feed::Local { session, assembler, batches: 0 }
    }

    /// The next batch, or none after the last one.
    async fn next(&mut self) -> Result<Option<client::Batch>, Failure> {
        let (session, assembler, batches) = match self {
            Feed::Remote(stream) => return Ok(stream.next().await?),
            Feed::Local { session, assembler, batches } => (session, assembler, batches),
        };
        let Some(made) = poll_fn(|context| session.poll_next(context)).await else { return Ok(None) };
        // Copied out as if it had come over the wire: a batch may be shared with other sessions, and Python may write into its own.
        let parts = Parts::new(made?, session.request(), session.request().repeat && *batches > 0);
        *batches += 1;
        for part in parts {
            let done = assembler.push(&part);
            let bug = |error: client::PartError| Failure::Fault(feedline::fault::Fault::Bug, error.to_string());
            if let Some(batch) = done.map_err(bug)? {
                return Ok(Some(batch));
            }
        }
        Err(Failure::Fault(feedline::fault::Fault::Bug, "a batch of too few parts".into()))
    }
}

/// Batches that are received by a thread of their own, which never touches Python.
#[pyclass(frozen, module = "feedline._native")]
pub(crate) struct Stream {
    queue: Home<Receiver>,
}

/// Python's end of the queue; dropped, it ends the thread.
struct Receiver(Arc<Queue>);

struct Queue {
    ready: Mutex<Ready>,
    filled: Condvar,
    /// One permit for every batch that may still be received.
    room: Semaphore,
    closed: CancellationToken,
}

#[derive(Default)]
struct Ready {
    batches: VecDeque<client::Batch>,
    /// How it ended, if it has.
    end: Option<Result<(), Failure>>,
    reconnects: u64,
}

impl Stream {
    pub(crate) fn start(mut feed: Feed, ahead: usize) -> PyResult<Stream> {
        let queue = Arc::new(Queue {
            ready: Mutex::default(),
            filled: Condvar::new(),
            room: Semaphore::new(ahead.clamp(1, 1024)),
            closed: CancellationToken::new(),
        });
        let (runtime, theirs) = (runtime()?, Arc::clone(&queue));
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    () = theirs.closed.cancelled() => {}
                    end = theirs.fill(&mut feed) => theirs.locked(|ready| ready.end = Some(end)),
                }
            });
        };
        let thread = std::thread::Builder::new().name("feedline-receive".into()).spawn(work);
        thread.map_err(|error| ServerError::new_err(format!("no thread can be started: {error}")))?;
        Ok(Stream { queue: Home::new(Receiver(queue)) })
    }
}

impl Queue {
    fn locked<R>(&self, f: impl FnOnce(&mut Ready) -> R) -> R {
        let result = f(&mut self.ready.lock().unwrap_or_else(PoisonError::into_inner));
        self.filled.notify_all();
        result
    }

    async fn fill(&self, feed: &mut Feed) -> Result<(), Failure> {
        loop {
            if let Ok(permit) = self.room.acquire().await {
                permit.forget();
            }
            let next = feed.next().await;
            let reconnects = if let Feed::Remote(stream) = &*feed { stream.reconnects() } else { 0 };
            let batch = next?;
            let Some(batch) = batch else { return Ok(()) };
            self.locked(|ready| {
                ready.batches.push_back(batch);
                ready.reconnects = reconnects;
            });
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.closed.cancel();
    }
}

#[pymethods]
impl Stream {
    /// The next batch, or None after the last one. Other Python threads run while it waits; Ctrl-C interrupts it, and the batch
    /// comes with the next call.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        enum Found {
            Batch(Box<client::Batch>),
            End(Result<(), Failure>),
            Nothing,
        }
        let queue = &self.queue.get()?.0;
        loop {
            let found = py.detach(|| {
                let mut ready = queue.ready.lock().unwrap_or_else(PoisonError::into_inner);
                if ready.batches.is_empty() && ready.end.is_none() {
                    ready = queue.filled.wait_timeout(ready, TICK).unwrap_or_else(PoisonError::into_inner).0;
                }
                match ready.batches.pop_front() {
                    Some(batch) => Found::Batch(Box::new(batch)),
                    // An error is told once; after that the stream is over.
                    None => ready.end.replace(Ok(())).map_or_else(
                        || {
                            ready.end = None;
                            Found::Nothing
                        },
                        Found::End,
                    ),
                }
            });
            match found {
                Found::Batch(batch) => {
                    queue.room.add_permits(1);
                    return Ok(Some(Batch::new(*batch)));
                }
                Found::End(end) => return end.map(|()| None).map_err(PyErr::from),
                Found::Nothing => py.check_signals()?,
            }
        }
    }

    /// How often the connection was lost and made again.
    #[getter]
    fn reconnects(&self) -> PyResult<u64> {
        Ok(self.queue.get()?.0.locked(|ready| ready.reconnects))
    }

    /// Ends the stream; batches that are in hand stay good.
    fn close(&self) -> PyResult<()> {
        let queue = &self.queue.get()?.0;
        queue.closed.cancel();
        queue.locked(|ready| {
            ready.batches.clear();
            ready.end = Some(Ok(()));
        });
        Ok(())
    }
}
