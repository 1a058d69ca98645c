use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tracing::{info, warn};

use super::Failure;
use super::progress::{LoadBar, bar};
use crate::engine::Engine;
use crate::source::{self, Listing};
use crate::store::{self, Budget, Dataset, LoadOptions, Mode, State};

/// How datasets are held in memory.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct StoreArgs {
    /// Whether decoded images are kept: encoded (never), decoded (all) or auto (as many as fit) [default: auto]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub(super) store: Option<Mode>,
    /// Memory for datasets, such as 8GiB [default: half of what the machine or its control group allows]
    #[arg(long, value_name = "SIZE")]
    pub(super) memory_budget: Option<Budget>,
    /// Pixels of the largest image that is decoded.
    #[arg(long, value_name = "N")]
    pub(super) max_pixels: Option<u64>,
    /// Worker threads [default: one per processor]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
}

/// Where models are.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct ModelArgs {
    /// Folder of ONNX models that the op onnx may name; for programs built with the feature onnx.
    #[arg(long, value_name = "FOLDER")]
    models: Option<PathBuf>,
}

impl ModelArgs {
    /// The folder, or else that of a configuration, if there is any.
    ///
    /// # Errors
    /// If it is none.
    pub(super) fn folder_or(&self, configured: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
        match self.models.clone().or(configured) {
            Some(path) if !path.is_dir() => Err(Failure::usage(format!("models: {} is no folder", path.display()))),
            folder => Ok(folder),
        }
    }
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "encoded" => Ok(Mode::Encoded),
        "decoded" => Ok(Mode::Decoded),
        "auto" => Ok(Mode::Auto),
        _ => Err("expected encoded, decoded or auto".into()),
    }
}

impl StoreArgs {
    pub(super) fn options(&self) -> LoadOptions {
        LoadOptions {
            mode: self.store.unwrap_or_default(),
            budget: self.memory_budget.unwrap_or_default().bytes(),
            max_pixels: self.max_pixels.unwrap_or(crate::server::Limits::default().max_pixels),
            threads: self.threads(),
        }
    }

    /// Threads asked for, or one per processor.
    pub(super) fn threads(&self) -> usize {
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.filter(|threads| *threads > 0).unwrap_or(all)
    }
}

/// Splits `NAME=PATH`; a path alone has no name. A path that exists is taken whole, even if it has an equals sign.
pub(super) fn named_path(text: &str) -> (Option<String>, PathBuf) {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !name.contains('/') && !Path::new(text).exists() => {
            (Some(name.to_owned()), path.into())
        }
        _ => (None, text.into()),
    }
}

/// Lists folders, and says what was found.
pub(super) fn list(paths: &[(Option<String>, PathBuf)]) -> Result<Vec<Listing>, Failure> {
    let mut listings: Vec<Listing> = Vec::new();
    let mut seen: BTreeMap<String, &Path> = BTreeMap::new();
    for (name, path) in paths {
        let listing = source::at(path, name.as_deref())?;
        if let Some(other) = seen.insert(listing.name.clone(), path) {
            let (name, other, path) = (&listing.name, other.display(), path.display());
            return Err(Failure::usage(format!(
                "{other} and {path} would both be dataset {name:?}; give one of them a name of its own: NAME={path}"
            )));
        }
        for split in &listing.splits {
            let (samples, classes) = (split.entries.len(), listing.classes.len());
            let bytes = store::Human(split.entries.iter().map(|entry| entry.bytes).sum());
            info!(dataset = listing.name, split = split.name, samples, classes, %bytes, "found");
        }
        if !listing.ignored.is_empty() {
            let (count, first) = (listing.ignored.len(), &listing.ignored[0]);
            warn!(dataset = listing.name, count, first = first.path, why = %first.why, "files that are no images are left out (inspect lists them)");
        }
        listings.push(listing);
    }
    Ok(listings)
}

/// Loads listings with a progress bar, and reports what is damaged.
pub(super) fn load(listings: Vec<Listing>, options: &LoadOptions) -> Result<Vec<Dataset>, Failure> {
    let bar = LoadBar::default();
    let datasets = store::load(listings, options, &|event| bar.event(event));
    bar.finish();
    let datasets = datasets?;
    for dataset in &datasets {
        for split in &dataset.splits {
            let (damaged, too_large, unreadable) =
                (split.count(State::Damaged), split.count(State::TooLarge), split.count(State::Unreadable));
            if damaged + too_large + unreadable > 0 {
                let bad = [State::Damaged, State::TooLarge, State::Unreadable];
                let first = bad.into_iter().find_map(|state| split.with_state(state).next());
                let first = first.map(|index| (split.key(index), split.cause(index).unwrap_or_default()));
                let (file, cause) = first.unwrap_or_default();
                warn!(
                    dataset = dataset.name,
                    split = split.name(),
                    damaged,
                    too_large,
                    unreadable,
                    file,
                    cause,
                    "bad samples"
                );
            }
        }
        info!(dataset = dataset.name, fingerprint = dataset.fingerprint, memory = %dataset.memory(), "loaded");
    }
    Ok(datasets)
}

/// Decodes everything into the store, with a progress bar.
pub(super) fn fill(engine: &Engine) {
    let samples = engine.datasets().iter().flat_map(|dataset| &dataset.splits).map(store::Split::len).sum();
    let bar = bar(samples, "decoding");
    engine.fill(&|count| bar.inc(count));
    bar.finish_and_clear();
}
