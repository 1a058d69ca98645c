use std::future::Future;

use super::Failure;

/// Runs a future on a small runtime: it waits, the engine's own threads work.
pub(super) fn block_on<R>(future: impl Future<Output = R>) -> Result<R, Failure> {
    block_on_threads(2, future)
}

/// Runs a future on this thread alone: for one that reads from one connection, which it would be passed to and fro between threads else.
pub(super) fn block_on_here<R>(future: impl Future<Output = R>) -> Result<R, Failure> {
    block_on_one(tokio::runtime::Builder::new_current_thread(), future)
}

/// Runs a future on a runtime of so many threads.
pub(super) fn block_on_threads<R>(threads: usize, future: impl Future<Output = R>) -> Result<R, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(threads);
    block_on_one(builder, future)
}

/// Runs a future on a runtime of that kind; what else runs on it, as the look-up of a name that nobody waits for any more, is left behind.
fn block_on_one<R>(mut builder: tokio::runtime::Builder, future: impl Future<Output = R>) -> Result<R, Failure> {
    let runtime = builder.enable_all().build()?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    Ok(result)
}

/// Over when the process is asked to stop, from this call on: SIGTERM or SIGINT. Call it before anybody can know that the process runs, since a
/// signal that comes earlier ends it at once.
pub(super) fn asked_to_stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let handlers = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        let (Ok(mut term), Ok(mut int)) = handlers else {
            // Without handlers, signals end the process as they always do.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => tracing::info!("SIGTERM"),
            _ = int.recv() => tracing::info!("SIGINT"),
        }
    }
}
