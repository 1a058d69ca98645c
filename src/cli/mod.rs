/// Prints a line on standard output, or returns why not.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::print_line(format_args!($($text)*))?
    };
}

mod bench;
mod demo;
mod doctor;
mod explain;
mod health;
mod import;
mod indices;
mod inspect;
mod load;
mod loadtest;
mod npy;
mod ops;
mod picture;
mod preview;
mod progress;
mod pull;
mod runtime;
mod serve;
mod spec;
mod verify;

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::telemetry::{self, LogFormat};

/// feedline feeds training jobs: it holds an image dataset in memory, decodes, augments and batches it on CPU workers, and
/// streams the batches over gRPC to any number of clients in any language.
#[derive(Debug, Parser)]
#[command(version, about, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What to log: off, error, warn, info, debug or trace.
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info", help_heading = "Logging")]
    log: LevelFilter,
    /// How logs look.
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", help_heading = "Logging")]
    log_format: LogFormat,
}

const AFTER_HELP: &str = "\
Start here:
  feedline demo                              serve the bundled photographs to four clients, and look at a batch
  feedline serve ./dogs                      serve a folder of images, one folder per class
  feedline pull 127.0.0.1:50051 --json       read an epoch of it

Exit codes:
  0  done
  1  failed, found damage, or something that can't be imported
  2  the command line can't be understood
  3  the server refused the request
  4  no server answered";

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the bundled photographs to four training clients, check every batch, and write a contact sheet.
    Demo(demo::Args),
    /// Serve image folders.
    Serve(serve::Args),
    /// Show what is in a folder, or what a server has: splits, classes, sizes, formats, damaged files.
    Inspect(inspect::Args),
    /// Decode every image of a folder and list what is damaged; exit code 1 if anything is.
    Verify(verify::Args),
    /// Write a picture of originals beside augmented versions of each.
    Preview(preview::Args),
    /// Show what a pipeline draws for one sample, and the image after each op.
    Explain(explain::Args),
    /// Read batches from a server: a client on the command line.
    Pull(pull::Args),
    /// List the ops of a pipeline, or show one in full: parameters, reference, example, cost.
    Ops(ops::Args),
    /// Measure the engine alone, without network.
    Bench(bench::Args),
    /// Load a server with many clients, check every batch, and measure throughput, latency and fairness.
    Loadtest(loadtest::Args),
    /// Write a pipeline of another library (albumentations, timm, Hugging Face) as TOML for --pipeline.
    Import(import::Args),
    /// Say what bounds the jobs that read from a server: decoding, ops, memory, the wire or the trainer.
    Doctor(doctor::Args),
    /// Ask a server whether it is healthy; exit code 0 if it serves.
    Health(health::Args),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()))
}

/// Runs a command line, the program's name first, and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads any more is no failure.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    telemetry::init(cli.log, cli.log_format);
    let result = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Preview(args) => preview::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Pull(args) => pull::run(&args),
        Command::Ops(args) => ops::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Loadtest(args) => loadtest::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Health(args) => health::run(&args),
    };
    match result {
        Ok(()) => 0,
        Err(failure) => {
            if !failure.message.is_empty() {
                eprintln!("error: {failure}");
            }
            failure.code
        }
    }
}

/// Why a command failed, and its exit code.
#[derive(Debug)]
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// A failure of any kind.
    fn new(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: 1 }
    }

    /// A command line that can't be meant.
    fn usage(message: impl fmt::Display) -> Failure {
        Failure { message: message.to_string(), code: 2 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

macro_rules! failures {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                Failure::new(error)
            }
        }
    )*};
}

failures!(
    crate::source::SourceError,
    crate::store::StoreError,
    crate::engine::EngineError,
    crate::engine::BatchError,
    crate::config::ConfigError,
    crate::server::ListenError,
    crate::server::ServerError,
    crate::sheet::SheetError,
    std::io::Error
);

impl From<crate::client::ClientError> for Failure {
    fn from(error: crate::client::ClientError) -> Failure {
        use crate::client::ClientError;
        let code = match error {
            ClientError::Refused { .. } => 3,
            ClientError::Unreachable { .. } => 4,
            ClientError::Address { .. } => 2,
            _ => 1,
        };
        Failure { message: error.to_string(), code }
    }
}

impl From<crate::engine::RequestError> for Failure {
    fn from(error: crate::engine::RequestError) -> Failure {
        Failure { message: error.to_string(), code: 3 }
    }
}

/// Prints one JSON object on a line of its own, and flushes it.
///
/// # Errors
/// As [`print_line`].
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    print_line(format_args!("{}", serde_json::to_string(value).map_err(Failure::new)?))
}

/// Prints a line and flushes it.
///
/// # Errors
/// If it can't be written. A reader that has enough, as `head` has, is no failure: the command ends without a word, with 0.
fn print_line(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure { message: String::new(), code: 0 },
        _ => Failure::new(format!("can't write to standard output: {error}")),
    })
}
