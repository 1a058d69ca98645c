use feedline::client::Loader;
use feedline_proto::v1;
use pyo3::prelude::*;
use serde::Deserialize;

use crate::errors::InvalidRequestError;

/// A request as Python writes it: the contract's messages in the JSON that the configuration uses too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    spec: v1::LoaderSpec,
    placement: v1::Placement,
    delivery: v1::Delivery,
}

/// Reads a request.
pub(crate) fn read(text: &str) -> PyResult<Loader> {
    let Request { spec, placement, delivery } = from_json("request", text)?;
    Ok(Loader { spec, placement, delivery })
}

pub(crate) fn from_json<T: for<'a> Deserialize<'a>>(what: &str, text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|error| {
        // The place in a text that no user has seen says nothing.
        let message = error.to_string();
        let cause = message.rsplit_once(" at line ").map_or(message.as_str(), |(cause, _)| cause);
        InvalidRequestError::new_err(format!("{what}: {cause}"))
    })
}

pub(crate) fn to_json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| InvalidRequestError::new_err(error.to_string()))
}
