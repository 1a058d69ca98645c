use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::engine::{BatchError, RequestError};
use crate::fault::Fault;

/// Set on every status that the server chose, so that a client can tell it from a failure of the transport.
pub const CHOSEN: &str = "feedline-status";

/// The gRPC code of each fault. This table is the only one.
fn code(fault: Fault) -> Code {
    match fault {
        Fault::Request => Code::InvalidArgument,
        Fault::Missing => Code::NotFound,
        Fault::Stale => Code::FailedPrecondition,
        Fault::Limit => Code::ResourceExhausted,
        Fault::Damage => Code::DataLoss,
        Fault::Bug => Code::Internal,
    }
}

/// A status with the mark that the server chose it, its message shortened if need be.
pub(super) fn chosen(code: Code, message: impl Into<String>) -> Status {
    let mut status = Status::new(code, shortened(message.into()));
    status.metadata_mut().insert(CHOSEN, MetadataValue::from_static("chosen"));
    status
}

pub(super) fn of_request(error: &RequestError) -> Status {
    chosen(code(Fault::from(error)), error.to_string())
}

pub(super) fn of_batch(error: &BatchError) -> Status {
    chosen(code(Fault::from(error)), error.to_string())
}

pub(super) fn draining() -> Status {
    chosen(
        Code::Unavailable,
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
