use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::engine::{BatchError, RequestError};
use crate::fault::Fault;

/// Metadata key of every status that the server chose, so that a client can tell it from a failure of the transport. Its value
/// is [`PASSES`] or `final`.
pub const CHOSEN: &str = "feedline-status";
/// The same request may succeed later. Any other value: it will not.
pub const PASSES: &str = "retry";

/// The gRPC code of each fault. This table is the only one.
fn code(fault: Fault) -> Code {
    match fault {
        Fault::Request => Code::InvalidArgument,
        Fault::Missing => Code::NotFound,
        Fault::Stale => Code::FailedPrecondition,
        Fault::Limit | Fault::Busy => Code::ResourceExhausted,
        Fault::Stopping => Code::Unavailable,
        Fault::Damage => Code::DataLoss,
        Fault::Bug => Code::Internal,
    }
}

/// The fault that a code tells of, if the server chose it; that it passes is in the metadata.
pub fn fault(code: Code) -> Option<Fault> {
    let all = [Fault::Request, Fault::Missing, Fault::Stale, Fault::Limit, Fault::Stopping, Fault::Damage, Fault::Bug];
    all.into_iter().find(|fault| self::code(*fault) == code)
}

/// A status that the server chose, and that trying again will not change.
pub(super) fn chosen(code: Code, message: impl Into<String>) -> Status {
    marked(code, message, false)
}

fn of_fault(fault: Fault, message: impl Into<String>) -> Status {
    marked(code(fault), message, fault.passes())
}

fn marked(code: Code, message: impl Into<String>, passes: bool) -> Status {
    let mut status = Status::new(code, shortened(message.into()));
    let value = if passes { PASSES } else { "final" };
    status.metadata_mut().insert(CHOSEN, MetadataValue::from_static(value));
    status
}

pub(super) fn of_request(error: &RequestError) -> Status {
    of_fault(Fault::from(error), error.to_string())
}

pub(super) fn of_batch(error: &BatchError) -> Status {
    of_fault(Fault::from(error), error.to_string())
}

pub(super) fn draining() -> Status {
    of_fault(
        Fault::Stopping,
        "the server is stopping; another replica, or this one when it is back, continues where this stream ends",
    )
}

/// Statuses travel as HTTP/2 headers, whose length peers limit to some kilobytes; percent encoding can triple it.
fn shortened(mut message: String) -> String {
    if message.len() > MOST_BYTES {
        let end = (0..=MOST_BYTES).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        message.truncate(end);
        message.push_str("...");
    }
    message
}

const MOST_BYTES: usize = 1500;
