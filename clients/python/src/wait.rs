use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::errors::ServerError;

/// How often a wait looks whether Ctrl-C was pressed.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// A runtime that waits for one thing at a time, on the thread that asks.
pub(crate) fn runtime() -> PyResult<Runtime> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| ServerError::new_err(format!("no runtime can be started: {error}")))
}

/// Waits for `future` while other Python threads run; Ctrl-C ends it.
pub(crate) fn wait<F>(py: Python<'_>, future: F) -> PyResult<F::Output>
where
    F: Future + Send,
    F::Output: Send,
{
    let runtime = runtime()?;
    let mut future = pin!(future);
    loop {
        let done = py.detach(|| runtime.block_on(async { tokio::time::timeout(TICK, &mut future).await }));
        match done {
            Ok(output) => return Ok(output),
            Err(_) => py.check_signals()?,
        }
    }
}

/// Does `work` on a thread of its own while other Python threads run. Ctrl-C stops waiting for it; the thread goes on to the end
/// of its work, whose result is dropped.
pub(crate) fn on_a_thread<R: Send + 'static>(py: Python<'_>, work: impl FnOnce() -> R + Send + 'static) -> PyResult<R> {
    let (send, receive) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("feedline-open".into()).spawn(move || drop(send.send(work())));
    thread.map_err(|error| ServerError::new_err(format!("no thread can be started: {error}")))?;
    wait(py, receive)?.map_err(|_| ServerError::new_err("a thread of feedline panicked: a bug"))
}
