use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use feedline::client::{Client, ClientError, Options as ClientOptions};
use feedline::engine::{Engine, Options};
use feedline::store::{self, Budget, LoadOptions, Mode, memory};
use feedline::{decode, server, source};
use pyo3::prelude::*;

use crate::errors::{DatasetError, Failure, InvalidRequestError};
use crate::home::Home;
use crate::request;
use crate::stream::{Feed, Stream};
use crate::wait::{on_a_thread, wait};

/// Where batches come from: servers, or an engine in this process.
#[pyclass(frozen, weakref, module = "feedline._native")]
pub(crate) struct Source {
    kind: Home<Kind>,
}

/// Names and numbers of samples.
type Splits = Vec<(String, u64)>;

enum Kind {
    Servers(Client),
    Engine(Engine),
}

/// How an engine in this process is made; what is None has the default of the command line.
#[derive(Clone, Default, FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct EngineOptions {
    threads: Option<usize>,
    memory_budget: Option<String>,
    batch_budget: Option<String>,
    store: Option<String>,
    models: Option<PathBuf>,
}

impl EngineOptions {
    /// Loads the datasets and starts the workers; goes on until it is done.
    pub(crate) fn engine(&self, py: Python<'_>, paths: Vec<(Option<String>, PathBuf)>) -> PyResult<Engine> {
        let budget = |name: &str, text: &Option<String>| {
            let parsed = text.as_ref().map(|text| text.parse::<Budget>()).transpose();
            parsed.map_err(|error| InvalidRequestError::new_err(format!("{name}: {error}")))
        };
        let mode = match self.store.as_deref() {
            None | Some("auto") => Mode::Auto,
            Some("encoded") => Mode::Encoded,
            Some("decoded") => Mode::Decoded,
            Some(other) => {
                let message = format!("store is {other:?}, expected encoded, decoded or auto");
                return Err(InvalidRequestError::new_err(message));
            }
        };
        let limits = server::Limits::default();
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.filter(|threads| *threads > 0).unwrap_or(all);
        let memory_budget = budget("memory_budget", &self.memory_budget)?.unwrap_or_default().bytes();
        let load = LoadOptions { mode, budget: memory_budget, max_pixels: limits.max_pixels, threads };
        let allowed = || memory::allowed().unwrap_or(4 << 30) / 4;
        let options = Options {
            threads,
            batch_budget: budget("batch_budget", &self.batch_budget)?.map_or_else(allowed, Budget::bytes),
            max_batch_bytes: limits.max_batch_bytes,
            max_sessions: limits.max_sessions,
            decode: decode::Limits { max_pixels: limits.max_pixels, ..decode::Limits::default() },
            models: self.models.clone(),
        };
        let load_all = move || {
            let listings = paths.iter().map(|(name, path)| source::at(path, name.as_deref()));
            let listings = listings.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
            let datasets = store::load(listings, &load, &|_| {}).map_err(|error| error.to_string())?;
            let engine = Engine::new(datasets, BTreeMap::new(), options).map_err(|error| error.to_string())?;
            if mode == Mode::Decoded {
                engine.fill(&|_| {});
            }
            Ok::<_, String>(engine)
        };
        // In a pool of its own: rayon's common one has no threads in a process that was forked after it was first used, and who
        // waits for them waits for ever.
        let opened = on_a_thread(py, move || {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|error| error.to_string())?;
            pool.install(load_all)
        });
        opened?.map_err(DatasetError::new_err)
    }
}

#[pymethods]
impl Source {
    /// Servers at addresses with commas between: `HOST:PORT`, `http://HOST:PORT` or `unix:PATH`. Nothing is connected yet.
    #[staticmethod]
    fn connect(address: &str, name: String, job: String, retry_for: f64, shared_memory: bool) -> PyResult<Source> {
        let retry_for = Duration::try_from_secs_f64(retry_for)
            .map_err(|error| InvalidRequestError::new_err(format!("retry_for is {retry_for}: {error}")))?;
        let client =
            Client::new(address, ClientOptions { name, job, retry_for, shared_memory }).map_err(Failure::from)?;
        Ok(Source { kind: Home::new(Kind::Servers(client)) })
    }

    /// An engine in this process, over a folder or manifest.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf, options: EngineOptions) -> PyResult<Source> {
        Ok(Source { kind: Home::new(Kind::Engine(options.engine(py, vec![(None, path)])?)) })
    }

    /// What the request would give: the contract's `DescribeResponse`, as JSON.
    fn describe(&self, py: Python<'_>, request: &str) -> PyResult<String> {
        let loader = request::read(request)?;
        let response = match self.kind.get()? {
            Kind::Servers(client) => wait(py, client.describe(&loader))?.map_err(Failure::from)?,
            Kind::Engine(engine) => {
                let resolved = py.detach(|| engine.resolve(&loader.spec, &loader.placement, &loader.delivery));
                resolved.map_err(Failure::from)?.describe()
            }
        };
        request::to_json(&response)
    }

    /// Batches of the request, `ahead` of them received before they are asked for.
    fn stream(&self, py: Python<'_>, request: &str, ahead: usize) -> PyResult<Stream> {
        let loader = request::read(request)?;
        let feed = match self.kind.get()? {
            Kind::Servers(client) => {
                let opened =
                    wait(py, async { Ok::<_, ClientError>(Feed::Remote(Box::new(client.stream(loader).await?))) })?;
                opened.map_err(Failure::from)?
            }
            Kind::Engine(engine) => py.detach(|| {
                let request = engine.resolve(&loader.spec, &loader.placement, &loader.delivery)?;
                Ok::<_, Failure>(Feed::local(engine.open(request)?))
            })?,
        };
        Stream::start(feed, ahead)
    }

    /// Names of the datasets, and of the splits of each with their numbers of samples.
    fn datasets(&self, py: Python<'_>) -> PyResult<Vec<(String, Splits)>> {
        match self.kind.get()? {
            Kind::Servers(client) => {
                let listed = wait(py, client.list_datasets())?.map_err(Failure::from)?;
                let splits = |splits: Vec<feedline_proto::v1::Split>| {
                    splits.into_iter().map(|split| (split.name, split.samples)).collect()
                };
                Ok(listed.datasets.into_iter().map(|dataset| (dataset.name, splits(dataset.splits))).collect())
            }
            Kind::Engine(engine) => {
                let splits = |dataset: &Arc<store::Dataset>| {
                    dataset.splits.iter().map(|split| (split.name().to_owned(), split.len())).collect()
                };
                Ok(engine.datasets().iter().map(|dataset| (dataset.name.clone(), splits(dataset))).collect())
            }
        }
    }
}
