use std::ffi::OsString;
use std::path::PathBuf;

use feedline::config::{self, ConfigError};
use feedline::import::{self, Origin, Syntax};
use pyo3::prelude::*;

use crate::errors::{InvalidRequestError, NotFoundError};
use crate::request;

/// Runs the command line, the program's name first; returns its exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, args: Vec<OsString>) -> u8 {
    py.detach(|| feedline::cli::run(args))
}

/// The pipeline of a TOML file, as JSON.
#[pyfunction]
pub(crate) fn read_pipeline(path: PathBuf) -> PyResult<String> {
    request::to_json(&config::read_pipeline(&path).map_err(of_config)?)
}

/// The loader spec of a TOML file, as JSON.
#[pyfunction]
pub(crate) fn read_spec(path: PathBuf) -> PyResult<String> {
    request::to_json(&config::read_spec(&path).map_err(of_config)?)
}

/// What albumentations' `to_dict` gave, as JSON: the pipeline as JSON, notices, and what has no counterpart.
#[pyfunction]
pub(crate) fn import_albumentations(text: &str, approximate: bool) -> PyResult<(String, Vec<String>, Vec<String>)> {
    let imported = import::import(Origin::Albumentations, text, Syntax::Json, approximate);
    let imported = imported.map_err(InvalidRequestError::new_err)?;
    let words = |findings: &[import::Finding]| findings.iter().map(ToString::to_string).collect();
    let (notices, unsupported) = (words(&imported.report.notices), words(&imported.report.unsupported));
    Ok((request::to_json(&imported.pipeline())?, notices, unsupported))
}

fn of_config(error: ConfigError) -> PyErr {
    match error {
        ConfigError::Read { .. } => NotFoundError::new_err(error.to_string()),
        _ => InvalidRequestError::new_err(error.to_string()),
    }
}
