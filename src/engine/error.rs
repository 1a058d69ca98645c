use crate::augment::Refusal;
use crate::plan::PlanError;
use feedline_proto::rule::Violation;

/// Why a request is refused before anything runs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It can never succeed. Every mistake found, each with the field, what was found and what was expected.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// It names something that is not there.
    #[error("no {what} {name:?}, there is {known}")]
    NotFound {
        /// `dataset`, `split`, `pipeline`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// It continues from another dataset or spec.
    #[error("{what} is {found}, expected {expected}: {hint}")]
    Mismatch {
        /// Which fingerprint.
        what: &'static str,
        /// The client's.
        found: String,
        /// The server's.
        expected: String,
        /// What that means.
        hint: String,
    },
    /// A limit of the server is in the way.
    #[error("{what} is {found}, the server's limit is {limit}: {hint}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// What the request would need.
        found: u64,
        /// What it may.
        limit: u64,
        /// What to do.
        hint: &'static str,
    },
    /// Other streams have what it needs.
    #[error("{what} would be {found}, the server has room for {limit}: {hint}")]
    Busy {
        /// What is short.
        what: &'static str,
        /// What there would be with the request.
        found: u64,
        /// What there may be.
        limit: u64,
        /// What to do.
        hint: &'static str,
    },
}

impl RequestError {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        RequestError::Invalid(vec![message.into()])
    }

    pub(crate) fn violations(message: &str, violations: Vec<Violation>) -> Self {
        RequestError::Invalid(violations.into_iter().map(|found| format!("{message}.{found}")).collect())
    }
}

impl From<PlanError> for RequestError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Subset { .. } => RequestError::invalid(format!("spec.{error}")),
            _ => RequestError::invalid(error.to_string()),
        }
    }
}

impl From<Refusal> for RequestError {
    fn from(refusal: Refusal) -> Self {
        RequestError::invalid(format!("spec.{refusal}"))
    }
}

/// Which sample a batch failed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// Name of the dataset.
    pub dataset: String,
    /// Name of the split.
    pub split: String,
    /// Index in the split.
    pub index: u64,
    /// Path in the dataset.
    pub key: String,
}

impl std::fmt::Display for Culprit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Culprit { dataset, split, index, key } = self;
        write!(f, "sample {index} of {split} of dataset {dataset:?} ({key})")
    }
}

/// Why a batch can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A sample is damaged, and the client did not ask for substitutes.
    #[error("{culprit} is damaged: {cause}; mend or remove the file, or ask for bad_samples = substitute")]
    Damaged {
        /// Which sample.
        culprit: Culprit,
        /// What is wrong with it.
        cause: String,
    },
    /// A sample is damaged, and no sound one of its class and slice or list is left to take its place.
    #[error("{culprit} is damaged ({cause}), and no undamaged sample of its class and slice is left to substitute")]
    NoSubstitute {
        /// Which sample.
        culprit: Culprit,
        /// What is wrong with it.
        cause: String,
    },
    /// The stream has seen more substitutes than it allows.
    #[error("{found} rows had damaged samples, expected at most bad_sample_budget = {budget}; last {culprit}: {cause}")]
    BadSampleBudget {
        /// Substituted rows so far.
        found: u64,
        /// How many the delivery allows.
        budget: u64,
        /// The last one.
        culprit: Culprit,
        /// What is wrong with it.
        cause: String,
    },
    /// A sample has more pixels than the server decodes.
    #[error("{culprit} is over the server's limit of pixels: {cause}; raise --max-pixels or remove the file")]
    TooLarge {
        /// Which sample.
        culprit: Culprit,
        /// Its size and the limit.
        cause: String,
    },
    /// A sample's file could not be read when the dataset was loaded.
    #[error("{culprit} could not be read when the dataset was loaded: {cause}; mend it and restart the server")]
    Unreadable {
        /// Which sample.
        culprit: Culprit,
        /// Why not.
        cause: String,
    },
    /// An op could not be applied to a sample's image: the model that it runs failed on it.
    #[error("{culprit} can't be augmented, op {op} failed: {cause}")]
    Op {
        /// Which sample.
        culprit: Culprit,
        /// Name of the op.
        op: &'static str,
        /// What was wrong.
        cause: String,
    },
    /// A bug of ours.
    #[error("internal error: {0}")]
    Internal(String),
}
