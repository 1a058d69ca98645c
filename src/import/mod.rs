//! Pipelines that other libraries have written, as pipelines of feedline.
//!
//! What a file says is taken whole or not at all: every class, argument, value or version that has no equal here is reported with
//! its place, all of them in one run, and what is dropped because it says nothing about pixels is reported too. Nothing is
//! approximated unless the caller allows it, and then it is reported.

/// Albumentations, as `albumentations.save` writes it.
pub mod albumentations;

/// Whether a server would take what was imported.
mod build;

/// Files of JSON or YAML.
mod document;

/// `preprocessor_config.json` of the Hugging Face hub.
mod hf;

/// Arguments of an object.
mod node;

/// What is said about an import.
mod report;

/// Ops with the places that they came from.
mod step;

/// Model configurations of timm and arguments of its `create_transform`.
mod timm;

use feedline_proto::v1;

pub use document::Syntax;
pub use report::{Finding, Report};

use step::Step;

/// Who wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `albumentations.save` (JSON or YAML), 1.x or 2.0.
    Albumentations,
    /// timm: `config.json` of a model, or the arguments of `create_transform` as an object.
    Timm,
    /// Hugging Face transformers: `preprocessor_config.json`.
    HuggingFace,
}

/// A file that could be read, with what became of it.
#[derive(Clone, Debug)]
pub struct Imported {
    steps: Vec<Step>,
    /// Who wrote it, as the file says.
    producer: String,
    /// What was not supported, and what was noticed.
    pub report: Report,
}

impl Imported {
    /// The pipeline, without what is unsupported.
    pub fn pipeline(&self) -> v1::Pipeline {
        step::pipeline(&self.steps)
    }

    /// The pipeline as a TOML file that `--pipeline` reads, with a comment at each op that says where it came from.
    pub fn toml(&self) -> String {
        let mut out = format!("# Imported from {}.\n", step::line(&self.producer));
        for (what, findings) in [("Left out", &self.report.unsupported), ("Note", &self.report.notices)] {
            out.extend(findings.iter().map(|finding| format!("# {what}: {}\n", step::line(finding))));
        }
        out.push('\n');
        out.push_str(&step::toml(&self.steps));
        out
    }
}

/// Imports the text of a file. With `approximate`, what has a near equal is taken for it, and noticed.
///
/// # Errors
/// If the text is not the file that it should be: what is wrong, on one line.
pub fn import(origin: Origin, text: &str, syntax: Syntax, approximate: bool) -> Result<Imported, String> {
    let document = document::read(text, syntax)?;
    let mut report = Report::default();
    let (producer, mut steps) = match origin {
        Origin::Albumentations => albumentations::import(document, approximate, &mut report)?,
        Origin::Timm => timm::import(document, approximate, &mut report)?,
        Origin::HuggingFace => hf::import(document, &mut report)?,
    };
    build::check(&mut steps, &mut report);
    Ok(Imported { steps, producer, report })
}
