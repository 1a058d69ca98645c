use feedline::client::ClientError;
use feedline::engine::{BatchError, RequestError};
use feedline::fault::Fault;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(feedline, FeedlineError, PyException, "What everything that feedline raises is.");
create_exception!(
    feedline,
    InvalidRequestError,
    FeedlineError,
    "The request can never succeed: a wrong field, value or address."
);
create_exception!(
    feedline,
    NotFoundError,
    FeedlineError,
    "It names a dataset, split, pipeline or file that is not there."
);
create_exception!(
    feedline,
    MismatchError,
    FeedlineError,
    "A state of another dataset, loader spec or version than what is there now."
);
create_exception!(feedline, LimitError, FeedlineError, "A limit of the server or of the memory is in the way.");
create_exception!(
    feedline,
    DamagedSampleError,
    FeedlineError,
    "A sample is damaged; the message names dataset, file, index and cause."
);
create_exception!(feedline, UnreachableError, FeedlineError, "No server answered for as long as was to be waited.");
create_exception!(feedline, ContractError, FeedlineError, "What arrived breaks the contract, again and again.");
create_exception!(feedline, DatasetError, FeedlineError, "A folder can't be read as a dataset.");
create_exception!(feedline, ServerError, FeedlineError, "The server failed, or can't be started.");
create_exception!(feedline, ForkError, FeedlineError, "Opened in another process, of which this one is a fork.");

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("FeedlineError", py.get_type::<FeedlineError>())?;
    module.add("InvalidRequestError", py.get_type::<InvalidRequestError>())?;
    module.add("NotFoundError", py.get_type::<NotFoundError>())?;
    module.add("MismatchError", py.get_type::<MismatchError>())?;
    module.add("LimitError", py.get_type::<LimitError>())?;
    module.add("DamagedSampleError", py.get_type::<DamagedSampleError>())?;
    module.add("UnreachableError", py.get_type::<UnreachableError>())?;
    module.add("ContractError", py.get_type::<ContractError>())?;
    module.add("DatasetError", py.get_type::<DatasetError>())?;
    module.add("ServerError", py.get_type::<ServerError>())?;
    module.add("ForkError", py.get_type::<ForkError>())
}

/// A failure that Python is told of, made where Python is not at hand.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Of the engine in this process.
    Fault(Fault, String),
    /// Of a server, or of the way to it.
    Client(ClientError),
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Failure {
        Failure::Fault(Fault::from(&error), error.to_string())
    }
}

impl From<BatchError> for Failure {
    fn from(error: BatchError) -> Failure {
        Failure::Fault(Fault::from(&error), error.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Client(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        let error = match failure {
            Failure::Fault(fault, message) => return of_fault(fault, message),
            Failure::Client(error) => error,
        };
        match (error.fault(), &error) {
            (Some(fault), ClientError::Refused { message, .. }) => of_fault(fault, message.clone()),
            (_, ClientError::Refused { .. }) => ServerError::new_err(error.to_string()),
            (_, ClientError::Address { .. }) => InvalidRequestError::new_err(error.to_string()),
            (_, ClientError::Unreachable { .. }) => UnreachableError::new_err(error.to_string()),
            _ => ContractError::new_err(error.to_string()),
        }
    }
}

fn of_fault(fault: Fault, message: String) -> PyErr {
    match fault {
        Fault::Request => InvalidRequestError::new_err(message),
        Fault::Missing => NotFoundError::new_err(message),
        Fault::Stale => MismatchError::new_err(message),
        Fault::Limit | Fault::Busy => LimitError::new_err(message),
        Fault::Damage => DamagedSampleError::new_err(message),
        Fault::Stopping | Fault::Bug => ServerError::new_err(message),
    }
}
