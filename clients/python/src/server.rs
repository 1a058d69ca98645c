use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use feedline::server::{self, Ended, Endpoint, Limits, Listener};
use pyo3::prelude::*;
use tokio::sync::oneshot;

use crate::errors::{InvalidRequestError, ServerError};
use crate::home::Home;
use crate::source::EngineOptions;
use crate::wait::wait;

/// A server on threads of this process.
#[pyclass(frozen, module = "feedline._native")]
pub(crate) struct Server {
    running: Home<Running>,
    #[pyo3(get)]
    address: String,
}

struct Running {
    stop: Mutex<Option<oneshot::Sender<()>>>,
    ended: Mutex<Option<oneshot::Receiver<Result<Ended, String>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[pymethods]
impl Server {
    /// Loads the datasets (name or None, path), binds `listen` and serves.
    #[staticmethod]
    fn start(
        py: Python<'_>,
        paths: Vec<(Option<String>, PathBuf)>,
        listen: &str,
        options: EngineOptions,
        shutdown_grace: f64,
    ) -> PyResult<Server> {
        let endpoint: Endpoint = listen.parse().map_err(InvalidRequestError::new_err)?;
        let shutdown_grace = Duration::try_from_secs_f64(shutdown_grace)
            .map_err(|error| InvalidRequestError::new_err(format!("shutdown_grace is {shutdown_grace}: {error}")))?;
        let failed = |error: String| ServerError::new_err(format!("can't start a server: {error}"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| failed(error.to_string()))?;
        // A port that is taken shows before the dataset is read.
        let bound = py.detach(|| runtime.block_on(Listener::bind(&endpoint)));
        let listener = bound.map_err(|error| ServerError::new_err(error.to_string()))?;
        let address = listener.endpoint().to_string();
        let engine = options.engine(py, paths)?;
        let (stop, stopped) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let limits = Limits { shutdown_grace, ..Limits::default() };
        let work = move || {
            let shutdown = async {
                // Told to, or the object is gone.
                let _ = stopped.await;
            };
            let result = runtime.block_on(server::run(vec![listener], engine, limits, shutdown));
            runtime.shutdown_background();
            // Nobody may be waiting for it.
            let _ = end.send(result.map_err(|error| error.to_string()));
        };
        let thread = std::thread::Builder::new().name("feedline-serve".into()).spawn(work);
        let thread = thread.map_err(|error| failed(error.to_string()))?;
        let running =
            Running { stop: Mutex::new(Some(stop)), ended: Mutex::new(Some(ended)), thread: Mutex::new(Some(thread)) };
        Ok(Server { running: Home::new(running), address })
    }

    /// Drains and stops it; False if streams were cut off at the end of the grace. A second call changes nothing.
    fn stop(&self, py: Python<'_>) -> PyResult<bool> {
        let Running { stop, ended, thread } = self.running.get()?;
        drop(stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(ended) = ended.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(true) };
        let result = wait(py, ended)?.map_err(|_| ServerError::new_err("the server panicked: a bug"))?;
        let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        py.detach(|| thread.map(JoinHandle::join));
        Ok(result.map_err(ServerError::new_err)? == Ended::Drained)
    }
}
