use crate::engine::{BatchError, RequestError};

/// Whose fault an error is. The one place where errors of all modules are sorted; statuses and exit codes follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request can never succeed.
    Request,
    /// It names something that is not there.
    Missing,
    /// It continues from something else than what is there now.
    Stale,
    /// A limit of the server is in the way, and stays there.
    Limit,
    /// Others have what it needs; later there may be room.
    Busy,
    /// The server stops.
    Stopping,
    /// A sample is damaged.
    Damage,
    /// Ours.
    Bug,
}

impl Fault {
    /// Whether the same request may succeed later.
    pub fn passes(self) -> bool {
        matches!(self, Fault::Busy | Fault::Stopping)
    }
}

impl From<&RequestError> for Fault {
    fn from(error: &RequestError) -> Fault {
        match error {
            RequestError::Invalid(_) => Fault::Request,
            RequestError::NotFound { .. } => Fault::Missing,
            RequestError::Mismatch { .. } => Fault::Stale,
            RequestError::Limit { .. } => Fault::Limit,
            RequestError::Busy { .. } => Fault::Busy,
        }
    }
}

impl From<&BatchError> for Fault {
    fn from(error: &BatchError) -> Fault {
        match error {
            BatchError::Damaged { .. } | BatchError::NoSubstitute { .. } | BatchError::BadSampleBudget { .. } => {
                Fault::Damage
            }
            // Whatever the sample is, the model that the spec names does not take it.
            BatchError::Op { .. } => Fault::Request,
            BatchError::TooLarge { .. } => Fault::Limit,
            BatchError::Unreadable { .. } => Fault::Stale,
            BatchError::Internal(_) => Fault::Bug,
        }
    }
}
