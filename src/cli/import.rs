use std::path::{Path, PathBuf};

use super::Failure;
use crate::import::{self, Origin, Syntax};

/// Writes a pipeline of another library as a TOML file for --pipeline, or with all that belongs to it for --spec.
///
/// What has no equal is listed with its place and the reason, all of it, and nothing is written: exit code 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Who wrote the file.
    #[arg(value_enum)]
    origin: From,
    /// What albumentations.save wrote (JSON or YAML); timm's config.json, args.yaml or arguments of create_transform; or
    /// preprocessor_config.json.
    file: PathBuf,
    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write a whole loader spec for `pull --spec`: with boxes, keypoints and mixing as far as the file says something of them.
    #[arg(long)]
    spec: bool,
    /// timm's configuration of the model (config.json), for what arguments of a training leave to it.
    #[arg(long, value_name = "FILE")]
    model_config: Option<PathBuf>,
    /// Write what can be imported even if something can't; a comment stands where it is missing. Still exit code 1.
    #[arg(long)]
    partial: bool,
    /// Take what has only a near equal for it, and say so.
    #[arg(long)]
    approximate: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum From {
    /// albumentations 1.x and 2.0
    Albumentations,
    /// timm
    Timm,
    /// Hugging Face transformers
    Hf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let name = args.file.display();
    let text = read(&args.file)?;
    let origin = match args.origin {
        From::Albumentations => Origin::Albumentations,
        From::Timm => Origin::Timm,
        From::Hf => Origin::HuggingFace,
    };
    let syntax = Syntax::of(&args.file);
    let imported = match (&args.model_config, origin) {
        (None, _) => import::import(origin, &text, syntax, args.approximate),
        (Some(model), Origin::Timm) => import::import_timm((&text, syntax), (&read(model)?, Syntax::of(model))),
        (Some(_), _) => return Err(Failure::usage("--model-config is for timm")),
    };
    let imported = imported.map_err(|error| Failure::new(format!("{name}: {error}")))?;
    for finding in &imported.report.notices {
        eprintln!("note: {finding}");
    }
    for finding in &imported.report.unsupported {
        eprintln!("unsupported: {finding}");
    }
    if imported.has_spec() && !args.spec {
        eprintln!("note: {name}: it says more than a pipeline holds: --spec writes a loader spec with all of it");
    }
    let unsupported = imported.report.unsupported.len();
    if unsupported == 0 || args.partial {
        let toml = if args.spec { imported.spec_toml() } else { imported.toml() };
        match &args.output {
            Some(path) => std::fs::write(path, toml)
                .map_err(|error| Failure::new(format!("can't write {}: {error}", path.display())))?,
            None => say!("{}", toml.trim_end()),
        }
    }
    match unsupported {
        0 => Ok(()),
        1 => Err(Failure::new(format!("{name}: 1 thing is not supported"))),
        more => Err(Failure::new(format!("{name}: {more} things are not supported"))),
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::new(format!("can't read {}: {error}", path.display())))
}
