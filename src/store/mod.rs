use crate::source::Listing;

mod annotated;
mod budget;
mod files;
mod fingerprint;
mod headers;
mod keys;
mod load;
/// How much memory there is, and how much the store takes.
pub mod memory;
mod samples;
mod slots;
mod verdicts;

pub use budget::{Budget, Human, SizeError, parse_size};
pub use load::load;
pub use memory::Memory;
pub use samples::Split;
pub use verdicts::State;

/// Whether decoded images are kept. It never changes a byte of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Never: every epoch decodes anew.
    Encoded,
    /// All of them, or loading is refused.
    Decoded,
    /// As many as fit beside the encoded ones: those that are touched first, for good. Every epoch touches each sample once,
    /// so any fixed subset saves as much as a cache that evicts.
    #[default]
    Auto,
}

/// How datasets are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Whether decoded images are kept.
    pub mode: Mode,
    /// Bytes that all datasets together may take: encoded, decoded and index.
    pub budget: u64,
    /// Most pixels of an image; one that has more is not to be decoded.
    pub max_pixels: u64,
    /// Threads that read and check files; 0: as many as there are processors.
    pub threads: usize,
}

/// What loading tells while it goes on. Called from several threads at once.
pub type Progress<'a> = dyn Fn(Event<'_>) + Sync + 'a;

/// A step of loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A split begins.
    Split {
        /// Its dataset.
        dataset: &'a str,
        /// Its name.
        split: &'a str,
        /// Its samples.
        samples: u64,
        /// Their bytes, as listed.
        bytes: u64,
    },
    /// One more sample of it is there, or has been given up.
    Sample {
        /// Its bytes.
        bytes: u64,
    },
}

/// Named samples that share a source, all of them in memory.
#[derive(Debug)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// 32 hex digits of classes, keys, labels, contents and annotations of all splits. Neither the name nor the place of the dataset is in
    /// it, and nothing of how it was loaded. A sample that could not be read is in it as such.
    pub fingerprint: String,
    /// Names of its classes, by label.
    pub classes: Vec<String>,
    /// Names of the classes of its boxes, by label. Empty if they have none.
    pub box_classes: Vec<String>,
    /// Names of its keypoints, by id. Empty if they have none.
    pub keypoint_names: Vec<String>,
    /// Its splits: train, validation, test.
    pub splits: Vec<Split>,
}

impl Dataset {
    /// The split of that name.
    pub fn split(&self, name: &str) -> Option<&Split> {
        self.splits.iter().find(|split| split.name() == name)
    }

    /// What it takes.
    pub fn memory(&self) -> Memory {
        let own: Memory = self.splits.iter().map(Split::memory).sum();
        Memory { decoded_budget: self.splits.first().map_or(0, Split::decoded_budget), ..own }
    }

    /// Bytes that its decoded images take now.
    pub fn decoded_bytes(&self) -> u64 {
        self.splits.first().map_or(0, Split::decoded_bytes)
    }

    /// Bytes that all of its images would take decoded.
    pub fn all_decoded_bytes(&self) -> u64 {
        self.splits.iter().fold(0, |sum, split| sum.saturating_add(split.all_decoded_bytes()))
    }
}

/// Why datasets can't be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The encoded samples alone are too many.
    #[error(
        "the samples need {} ({needed} bytes, {index} of them for the index), the memory budget is {} ({budget} bytes): raise \
         --memory-budget, or serve fewer datasets or a smaller one",
        Human(*needed), Human(*budget)
    )]
    OverBudget {
        /// Bytes needed.
        needed: u64,
        /// Those of them that are no file's.
        index: u64,
        /// Bytes allowed.
        budget: u64,
    },
    /// All samples must be kept decoded and don't fit so.
    #[error(
        "decoded, the samples need {} ({decoded} bytes), of the memory budget {} ({left} bytes) are left for that: use \
         `--store auto`, which keeps as many decoded as fit, or raise --memory-budget by {}",
        Human(*decoded), Human(*left), Human(decoded.saturating_sub(*left))
    )]
    DecodedOverBudget {
        /// Bytes of all decoded samples.
        decoded: u64,
        /// Bytes left beside the encoded ones.
        left: u64,
    },
    /// Two datasets would answer to one name.
    #[error("two datasets are called {name:?}: give one of them another name")]
    SameName {
        /// The name.
        name: String,
    },
    /// The index counts in 32 bits.
    #[error(
        "the file names of split {split:?} of dataset {dataset:?} take more than 4 GiB: divide it into several datasets"
    )]
    TooManyNames {
        /// The dataset.
        dataset: String,
        /// The split.
        split: String,
    },
    /// A source gave a label that is no class: its bug.
    #[error("sample {key:?} has label {label}, the dataset has {classes} classes")]
    Label {
        /// The sample.
        key: String,
        /// Its label.
        label: i64,
        /// Number of classes.
        classes: usize,
    },
    /// The system refused, whatever the budget says.
    #[error("the system has no {} ({bytes} bytes) of memory left for split {split:?} of dataset {dataset:?}", Human(*bytes))]
    NoMemory {
        /// Bytes asked for.
        bytes: u64,
        /// The dataset.
        dataset: String,
        /// The split.
        split: String,
    },
    /// No threads.
    #[error("can't start the threads that load: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

fn refuse_same_names(listings: &[Listing]) -> Result<(), StoreError> {
    for (number, listing) in listings.iter().enumerate() {
        if listings[..number].iter().any(|other| other.name == listing.name) {
            return Err(StoreError::SameName { name: listing.name.clone() });
        }
    }
    Ok(())
}
