use std::path::PathBuf;

use super::Failure;
use crate::import::{self, Origin, Syntax};

/// Writes a pipeline of another library as a TOML file for --pipeline.
///
/// What has no equal is listed with its place and the reason, all of it, and nothing is written: exit code 1.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Who wrote the file.
    #[arg(value_enum)]
    origin: From,
    /// What albumentations.save wrote (JSON or YAML), timm's config.json or arguments of create_transform, or
    /// preprocessor_config.json.
    file: PathBuf,
    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
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
    let text =
        std::fs::read_to_string(&args.file).map_err(|error| Failure::new(format!("can't read {name}: {error}")))?;
    let origin = match args.origin {
        From::Albumentations => Origin::Albumentations,
        From::Timm => Origin::Timm,
        From::Hf => Origin::HuggingFace,
    };
    let imported = import::import(origin, &text, Syntax::of(&args.file), args.approximate)
        .map_err(|error| Failure::new(format!("{name}: {error}")))?;
    for finding in &imported.report.notices {
        eprintln!("note: {finding}");
    }
    for finding in &imported.report.unsupported {
        eprintln!("unsupported: {finding}");
    }
    let unsupported = imported.report.unsupported.len();
    if unsupported == 0 || args.partial {
        let toml = imported.toml();
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
