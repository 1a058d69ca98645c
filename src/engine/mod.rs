mod batch;
mod error;
mod making;
mod memory;
mod models;
mod phase;
mod recipe;
mod request;
mod resources;
mod schedule;
mod session;
mod statistics;
mod subset;
mod targets;
mod views;
mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use feedline_proto::v1;

pub use batch::Batch;
pub use error::{BatchError, Culprit, RequestError};
pub(crate) use models::Models;
pub use recipe::Recipe;
pub use request::{Form, Request};
pub use schedule::Standing;
pub use session::{Lease, Session};
pub use statistics::{Snapshot, Statistics};
pub use targets::Targets;
pub use views::ViewGroup;

use crate::augment::preset;
use crate::decode::Limits;
use crate::store::{Dataset, Split};
use making::{Making, Then};
use memory::Memory;
use resources::Supplies;
use schedule::{After, Schedule};
use worker::Worker;

/// How large an engine is.
#[derive(Clone, Debug)]
pub struct Options {
    /// Workers.
    pub threads: usize,
    /// Bytes that all batches may take together, those being made and those being sent.
    pub batch_budget: u64,
    /// Bytes that one batch of one rank may take.
    pub max_batch_bytes: u64,
    /// Sessions at the same time.
    pub max_sessions: usize,
    /// What a decoder may spend on one file.
    pub decode: Limits,
    /// Folder of the models that specs may name.
    pub models: Option<PathBuf>,
}

impl Options {
    /// Bytes that models take at most, plans and what is computed on the way not counted: those are counted with batches.
    pub fn model_bytes(&self) -> u64 {
        self.models.as_ref().map_or(0, |_| models::MOST_BYTES)
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            batch_budget: 2 << 30,
            max_batch_bytes: 1 << 30,
            max_sessions: 1024,
            decode: Limits::default(),
            models: None,
        }
    }
}

/// Makes batches of datasets for any number of sessions: the only place where the stages meet.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    datasets: Vec<Arc<Dataset>>,
    pipelines: BTreeMap<String, v1::Pipeline>,
    options: Options,
    pool: rayon::ThreadPool,
    schedule: Mutex<Schedule>,
    memory: Arc<Memory>,
    statistics: Statistics,
    workers: Mutex<Vec<Worker>>,
    supplies: Supplies,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
#[error("no {threads} worker threads can be started: {source}")]
pub struct EngineError {
    threads: usize,
    source: rayon::ThreadPoolBuildError,
}

impl Engine {
    /// An engine for `datasets`. `pipelines` are those that have a name beside the presets.
    ///
    /// # Errors
    /// If the threads can't be started.
    pub fn new(
        datasets: Vec<Dataset>,
        pipelines: BTreeMap<String, v1::Pipeline>,
        options: Options,
    ) -> Result<Engine, EngineError> {
        let threads = options.threads.max(1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("worker-{index}"));
        let shared = Arc::new(Shared {
            datasets: datasets.into_iter().map(Arc::new).collect(),
            pipelines,
            pool: pool.build().map_err(|source| EngineError { threads, source })?,
            schedule: Mutex::new(Schedule::new(threads)),
            memory: Memory::new(options.batch_budget),
            statistics: Statistics::default(),
            workers: Mutex::default(),
            supplies: Supplies::new(options.decode, Models::new(options.models.clone())),
            options,
        });
        let weak = Arc::downgrade(&shared);
        shared.memory.on_release(move || {
            if let Some(shared) = Weak::upgrade(&weak) {
                shared.gave_back(|_| ());
            }
        });
        Ok(Engine { shared })
    }

    /// The datasets, in the order they were given.
    pub fn datasets(&self) -> &[Arc<Dataset>] {
        &self.shared.datasets
    }

    /// The dataset of a name; the only one if the name is empty.
    ///
    /// # Errors
    /// [`RequestError::NotFound`] or, if there are several to choose from, [`RequestError::Invalid`].
    pub fn dataset(&self, name: &str) -> Result<&Arc<Dataset>, RequestError> {
        let known = || self.datasets().iter().map(|dataset| dataset.name.as_str()).collect::<Vec<_>>().join(", ");
        match (name, self.datasets()) {
            ("", [only]) => Ok(only),
            ("", _) => Err(RequestError::invalid(format!("dataset is empty, expected one of {}", known()))),
            (name, datasets) => datasets
                .iter()
                .find(|dataset| dataset.name == name)
                .ok_or_else(|| RequestError::NotFound { what: "dataset", name: name.to_owned(), known: known() }),
        }
    }

    /// Resolves a whole request: everything that can be wrong with it is found here, before anything runs.
    ///
    /// # Errors
    /// [`RequestError`], naming the field, what was found and what was expected.
    pub fn resolve(
        &self,
        spec: &v1::LoaderSpec,
        placement: &v1::Placement,
        delivery: &v1::Delivery,
    ) -> Result<Request, RequestError> {
        let mut named = self.with_ops(spec)?;
        let indices = subset::take(&mut named)?;
        let (spec, placement, delivery) = request::checked(&named, placement, delivery)?;
        let dataset = self.dataset(&spec.dataset)?;
        if !spec.dataset_fingerprint.is_empty() && spec.dataset_fingerprint != dataset.fingerprint {
            return Err(RequestError::Mismatch {
                what: "spec.dataset_fingerprint",
                found: spec.dataset_fingerprint.clone(),
                expected: dataset.fingerprint.clone(),
                hint: format!("the images or names of dataset {:?} are not those that the client knows", dataset.name),
            });
        }
        let recipe = Recipe::new(&spec, indices, dataset, &self.shared.supplies)?;
        let request = Request::new(Arc::new(recipe), &placement, &delivery)?;
        let (found, limit) =
            (request.batch_bytes(), self.shared.options.max_batch_bytes.min(self.shared.memory.budget));
        if found > limit {
            let hint = "use fewer rows per rank, smaller images or UINT8, or raise the server's limit";
            return Err(RequestError::Limit { what: "bytes of one batch", found, limit, hint });
        }
        Ok(request)
    }

    /// `spec` with the name of its pipeline replaced by ops.
    fn with_ops(&self, spec: &v1::LoaderSpec) -> Result<v1::LoaderSpec, RequestError> {
        let mut spec = spec.clone();
        let Some(pipeline) = spec.pipeline.as_mut().filter(|pipeline| !pipeline.name.is_empty()) else {
            return Ok(spec);
        };
        let name = std::mem::take(&mut pipeline.name);
        if !pipeline.ops.is_empty() {
            return Err(RequestError::invalid("spec.pipeline has both name and ops, expected one of them"));
        }
        let configured = self.shared.pipelines.get(&name).map(|pipeline| pipeline.ops.clone());
        pipeline.ops = configured.or_else(|| preset::ops(&name)).ok_or_else(|| {
            let presets = preset::PRESETS.iter().map(|(name, _)| *name);
            let known: Vec<_> = self.shared.pipelines.keys().map(String::as_str).chain(presets).collect();
            RequestError::NotFound { what: "pipeline", name, known: known.join(", ") }
        })?;
        Ok(spec)
    }

    /// Admits a session, if one of its batches fits beside one of every other session.
    ///
    /// # Errors
    /// [`RequestError::Limit`].
    pub fn open(&self, request: Request) -> Result<Session, RequestError> {
        let Shared { options, memory, .. } = &*self.shared;
        let request = Arc::new(request);
        let id = self.shared.locked(|schedule, _| {
            if schedule.sessions() >= options.max_sessions {
                let (found, limit) = (schedule.sessions() as u64 + 1, options.max_sessions as u64);
                return Err(RequestError::Busy { what: "the number of streams", found, limit, hint: "try later" });
            }
            let found = schedule.guaranteed().saturating_add(request.batch_bytes());
            if found > memory.budget {
                let hint =
                    "one batch of every stream must fit; try later, use fewer rows or UINT8, or raise --batch-budget";
                let limit = memory.budget;
                return Err(RequestError::Busy { what: "bytes of one batch of every stream", found, limit, hint });
            }
            Ok(schedule.add(Arc::clone(&request)))
        })?;
        Ok(Session::new(Arc::clone(&self.shared), id, request))
    }

    /// Decodes every sample into the store as far as the store takes them; `progress` is told of each, from any thread.
    pub fn fill(&self, progress: &(dyn Fn(u64) + Sync)) {
        let Shared { pool, datasets, statistics, options, .. } = &*self.shared;
        let splits: Vec<&Split> = datasets.iter().flat_map(|dataset| &dataset.splits).collect();
        let next: Vec<AtomicU64> = splits.iter().map(|_| AtomicU64::new(0)).collect();
        // Each thread has one worker for all of it: what more of them would work with, they would leave behind as memory that is free.
        pool.broadcast(|_| {
            let mut worker = Worker::new(options.decode);
            for (split, next) in splits.iter().zip(&next) {
                loop {
                    let index = next.fetch_add(1, Relaxed);
                    if index >= split.len() {
                        break;
                    }
                    worker.fill(split, index, statistics);
                    progress(1);
                }
            }
        });
    }

    /// What has been done so far.
    pub fn statistics(&self) -> Snapshot {
        let sessions = self.shared.locked(|schedule, _| schedule.sessions() as u64);
        Snapshot { batch_bytes: self.shared.memory.used(), sessions, ..self.shared.statistics.snapshot() }
    }

    /// How each session stands, by [`Session::id`].
    pub fn standings(&self) -> BTreeMap<u64, Standing> {
        self.shared.locked(|schedule, _| schedule.standings())
    }

    /// How large it is.
    pub fn options(&self) -> &Options {
        &self.shared.options
    }
}

/// How long this thread has worked. What a session is charged with must not depend on whether its worker was interrupted: for the session
/// that meets an interruption, as long as fifty tasks, it would weigh as much as its next fifty, each in turn with those of all others.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl Shared {
    /// Runs `f` under the lock, then does what it left to be done.
    fn locked<R>(self: &Arc<Self>, f: impl FnOnce(&mut Schedule, &mut After) -> R) -> R {
        let mut after = After::default();
        let result = f(&mut self.schedule.lock().unwrap_or_else(PoisonError::into_inner), &mut after);
        let After { wake, start, assemble, garbage } = after;
        for making in assemble {
            self.assemble(&making);
        }
        for _ in 0..start {
            let shared = Arc::clone(self);
            self.pool.spawn(move || shared.work());
        }
        wake.into_iter().for_each(std::task::Waker::wake);
        drop(garbage);
        result
    }

    /// One worker: task after task, until there is none.
    fn work(self: Arc<Self>) {
        let worker = self.workers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut worker = worker.unwrap_or_else(|| Worker::new(self.options.decode));
        let mut spent = None;
        while let Some((session, making, task)) = self.locked(|schedule, _| schedule.next(spent.take())) {
            let (start, before) = (Instant::now(), worked());
            worker.run(&making, task, &self.statistics);
            match making.finish(task) {
                Then::Nothing => {}
                Then::MixNow => self.locked(|schedule, after| schedule.mix(&making, after)),
                Then::Assemble => self.assemble(&making),
            }
            self.statistics.work_ns.fetch_add(start.elapsed().as_nanos() as u64, Relaxed);
            let nanoseconds = (worked() - before).as_nanos() as u64;
            making.recipe.note_cost(task.rows().len(), nanoseconds);
            spent = Some((session, nanoseconds));
        }
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    fn assemble(self: &Arc<Self>, making: &Arc<Making>) {
        making.assemble();
        if making.outcome().is_some() {
            self.statistics.batches.fetch_add(1, Relaxed);
        }
        self.locked(|schedule, after| schedule.wake(making, after));
    }

    /// Feeds sessions that had no memory with what somebody gave back, which `note` notes.
    fn gave_back(self: &Arc<Self>, note: impl FnOnce(&mut Schedule)) {
        self.locked(|schedule, after| {
            note(schedule);
            schedule.fill_starved(&self.memory, &self.statistics, after);
        });
    }
}
