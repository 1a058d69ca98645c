//! Pipelines that other libraries have written, as pipelines of feedline.
//!
//! What a file says is taken whole or not at all: every class, argument, value or version that has no equal here is reported with
//! its place, all of them in one run, and what is dropped because it says nothing about pixels is reported too. Nothing is
//! approximated unless the caller allows it, and then it is reported. What a file says of batches and annotations, which no
//! pipeline holds, goes into the loader spec around it.

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

/// The loader spec around a pipeline.
mod spec;

/// Ops with the places that they came from.
mod step;

/// Model configurations of timm, arguments of its `create_transform` and of its training script.
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
    /// timm: `config.json` or `pretrained_cfg` of a model, `args.yaml` of a training run, or the arguments of `create_transform` as
    /// an object.
    Timm,
    /// Hugging Face transformers: `preprocessor_config.json`.
    HuggingFace,
}

/// A file that could be read, with what became of it.
#[derive(Clone, Debug)]
pub struct Imported {
    steps: Vec<Step>,
    /// What the file says beside the pipeline.
    spec: v1::LoaderSpec,
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

    /// The loader spec that the file means: the pipeline, the annotations that it moves and what becomes of them, how rows are mixed.
    pub fn loader_spec(&self) -> v1::LoaderSpec {
        v1::LoaderSpec { pipeline: Some(self.pipeline()), ..self.spec.clone() }
    }

    /// Whether the file says anything of a loader spec beside the pipeline.
    pub fn has_spec(&self) -> bool {
        self.spec != v1::LoaderSpec::default()
    }

    /// The pipeline as a TOML file that `--pipeline` reads, with a comment at each op that says where it came from.
    pub fn toml(&self) -> String {
        let mut out = self.head();
        // A pipeline is a part of a loader spec.
        out.extend(spec::toml(&self.spec).lines().map(|line| format!("# Of the loader spec (--spec): {line}\n")));
        out.push('\n');
        out.push_str(&step::toml(&self.steps));
        out
    }

    /// The loader spec as a TOML file that `--spec` reads, with comments as [`Imported::toml`] has them.
    pub fn spec_toml(&self) -> String {
        let mut out = self.head();
        out.push('\n');
        out.push_str(&spec::toml(&self.spec));
        out.push_str("\n[pipeline]\n");
        out.push_str(&step::toml(&self.steps));
        out
    }

    fn head(&self) -> String {
        let mut out = format!("# Imported from {}.\n", step::line(&self.producer));
        for (what, findings) in [("Left out", &self.report.unsupported), ("Note", &self.report.notices)] {
            out.extend(findings.iter().map(|finding| format!("# {what}: {}\n", step::line(finding))));
        }
        out
    }
}

/// Imports the text of a file. With `approximate`, what has a near equal is taken for it, and noticed.
///
/// # Errors
/// If the text is not the file that it should be: what is wrong, on one line.
pub fn import(origin: Origin, text: &str, syntax: Syntax, approximate: bool) -> Result<Imported, String> {
    let document = document::read(text, syntax)?;
    let (mut report, mut spec) = (Report::default(), v1::LoaderSpec::default());
    let (producer, steps) = match origin {
        Origin::Albumentations => albumentations::import(document, approximate, &mut report, &mut spec)?,
        Origin::Timm => timm::import(document, None, &mut report, &mut spec)?,
        Origin::HuggingFace => hf::import(document, &mut report)?,
    };
    Ok(checked(producer, steps, spec, report))
}

/// Imports `args.yaml` of timm's training script, or arguments of its `create_transform`, with the configuration of the model
/// (`config.json` or `pretrained_cfg`), which says what the arguments leave to it.
///
/// # Errors
/// As of [`import`].
pub fn import_timm(args: (&str, Syntax), model: (&str, Syntax)) -> Result<Imported, String> {
    let document = document::read(args.0, args.1)?;
    let model = document::read(model.0, model.1).map_err(|error| format!("the model's configuration: {error}"))?;
    let (mut report, mut spec) = (Report::default(), v1::LoaderSpec::default());
    let (producer, steps) = timm::import(document, Some(model), &mut report, &mut spec)?;
    Ok(checked(producer, steps, spec, report))
}

fn checked(producer: String, mut steps: Vec<Step>, spec: v1::LoaderSpec, mut report: Report) -> Imported {
    build::check(&mut steps, &mut report);
    Imported { steps, spec, producer, report }
}
