use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use feedline_proto::{rule, v1};
use serde::{Deserialize, Serialize};

use crate::augment;
use crate::store::{Mode, parse_size};

/// The server's configuration as typed: a TOML file. Every field may be left out; flags override it. Pipelines are the
/// contract's own messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Where to listen: `HOST:PORT` or `unix:PATH`.
    pub listen: Vec<String>,
    /// Worker threads; 0: one per processor.
    pub threads: usize,
    /// `encoded`, `decoded` or `auto`.
    pub store: Mode,
    /// Memory for datasets, such as `"8GiB"`. Default: half of what the machine or its control group allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_budget: Option<String>,
    /// Memory for batches, such as `"2GiB"`. Default: a quarter of what the machine or its control group allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_budget: Option<String>,
    /// Folder of ONNX models that pipelines may name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<PathBuf>,
    /// Limits of single requests and of the server.
    pub limits: Limits,
    /// Datasets, by name, beside those of the command line.
    pub dataset: BTreeMap<String, DatasetFile>,
    /// Pipelines that clients may ask for by name.
    pub pipeline: BTreeMap<String, v1::Pipeline>,
}

/// A dataset of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetFile {
    /// Its folder; relative to the working directory.
    pub path: PathBuf,
}

/// Limits of the configuration; see [`crate::server::Limits`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Streams at the same time.
    pub max_sessions: usize,
    /// Bytes of one batch of one rank.
    pub max_batch_bytes: String,
    /// Pixels of one image.
    pub max_pixels: u64,
    /// Bytes of one request.
    pub max_request_bytes: String,
    /// Streams on one connection.
    pub max_streams_per_connection: u32,
    /// Seconds that a stopping server waits for its streams.
    pub shutdown_grace_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let limits = crate::server::Limits::default();
        Limits {
            max_sessions: limits.max_sessions,
            max_batch_bytes: "1GiB".into(),
            max_pixels: limits.max_pixels,
            max_request_bytes: "4MiB".into(),
            max_streams_per_connection: limits.max_streams_per_connection,
            shutdown_grace_seconds: limits.shutdown_grace.as_secs(),
        }
    }
}

impl Limits {
    /// As meant.
    ///
    /// # Errors
    /// Every value that can't be read.
    pub fn resolve(&self) -> Result<crate::server::Limits, Vec<String>> {
        let mut mistakes = Vec::new();
        let mut size = |name: &str, text: &str| {
            let parsed = parse_size(text).map_err(|error| mistakes.push(format!("limits.{name}: {error}")));
            parsed.unwrap_or_default()
        };
        let limits = crate::server::Limits {
            max_sessions: self.max_sessions,
            max_batch_bytes: size("max_batch_bytes", &self.max_batch_bytes),
            max_pixels: self.max_pixels,
            max_request_bytes: usize::try_from(size("max_request_bytes", &self.max_request_bytes))
                .unwrap_or(usize::MAX),
            max_streams_per_connection: self.max_streams_per_connection,
            shutdown_grace: std::time::Duration::from_secs(self.shutdown_grace_seconds),
            ..crate::server::Limits::default()
        };
        for (name, value) in [
            ("max_sessions", limits.max_sessions as u64),
            ("max_pixels", limits.max_pixels),
            ("max_streams_per_connection", u64::from(limits.max_streams_per_connection)),
        ] {
            if value == 0 {
                mistakes.push(format!("limits.{name} is 0, expected at least 1"));
            }
        }
        if mistakes.is_empty() { Ok(limits) } else { Err(mistakes) }
    }
}

/// Why a file of ours can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It can't be read.
    #[error("can't read {path}: {source}", path = .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be; the message has line and column.
    #[error("{path}: {}", .source.to_string().trim_end(), path = .path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A value breaks a rule.
    #[error("{path}: {}", .mistakes.join("; "), path = .path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        mistakes: Vec<String>,
    },
}

impl File {
    /// Reads a configuration and checks its pipelines.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, line and column.
    pub fn read(path: &Path) -> Result<File, ConfigError> {
        let file: File = parse(path)?;
        let mistakes: Vec<String> = file
            .pipeline
            .iter()
            .flat_map(|(name, pipeline)| {
                check(pipeline).into_iter().map(move |found| format!("pipeline.{name}: {found}"))
            })
            .collect();
        if mistakes.is_empty() { Ok(file) } else { Err(ConfigError::Invalid { path: path.into(), mistakes }) }
    }

    /// The configuration that stands for nothing said, as TOML with a comment for each field: what `deploy/feedline.toml` is.
    ///
    /// # Errors
    /// If it can't be written as TOML: a bug.
    pub fn example() -> Result<String, toml::ser::Error> {
        let limits = toml::to_string(&Limits::default())?;
        Ok(format!("{EXAMPLE_HEAD}\n[limits]\n{limits}{EXAMPLE_TAIL}"))
    }
}

/// Reads a pipeline from a TOML file.
///
/// # Errors
/// [`ConfigError`].
pub fn read_pipeline(path: &Path) -> Result<v1::Pipeline, ConfigError> {
    let pipeline: v1::Pipeline = parse(path)?;
    let mistakes = check(&pipeline);
    if mistakes.is_empty() { Ok(pipeline) } else { Err(ConfigError::Invalid { path: path.into(), mistakes }) }
}

/// Reads a whole loader spec from a TOML file.
///
/// # Errors
/// [`ConfigError`].
pub fn read_spec(path: &Path) -> Result<v1::LoaderSpec, ConfigError> {
    parse(path)
}

fn check(pipeline: &v1::Pipeline) -> Vec<String> {
    if let Err(refusal) = augment::check_size(&pipeline.ops) {
        return vec![refusal.to_string()];
    }
    rule::check(pipeline).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.into(), source })?;
    toml::from_str(&text).map_err(|source| ConfigError::Parse { path: path.into(), source: Box::new(source) })
}

const EXAMPLE_HEAD: &str = r#"# Configuration of `feedline serve --config feedline.toml`. Everything may be left out; what stands here are the defaults.
# Flags of the command line override it.

# Where to listen: HOST:PORT or unix:PATH, several if wanted. Only this machine unless told otherwise.
listen = ["127.0.0.1:50051"]

# Worker threads; 0: one per processor.
threads = 0

# Whether decoded images are kept: "encoded" never, "decoded" all, "auto" as many as fit.
store = "auto"

# Memory for datasets. Default: half of what the machine or its control group allows.
# memory_budget = "8GiB"

# Memory for batches. Default: a quarter of it.
# batch_budget = "2GiB"

# Folder of ONNX models that the op onnx may name, for servers built with the feature onnx. Default: none.
# models = "/models"
"#;

const EXAMPLE_TAIL: &str = r#"
# Datasets beside those of the command line.
# [dataset.dogs]
# path = "/data/dogs"

# Pipelines that clients may ask for by name; the ops are those of proto/feedline/v1/pipeline.proto.
# [pipeline.small]
# ops = [
#   { random_resized_crop = { height = 64, width = 64 } },
#   { horizontal_flip = {} },
#   { to_float = {} },
#   { normalize = { mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] } },
# ]
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<File, ConfigError> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("writable");
        File::read(file.path())
    }

    #[test]
    fn the_example_is_the_defaults_and_its_comments_are_valid() {
        let example = File::example().expect("TOML");
        let file = read(&example).expect("valid");
        assert_eq!(file, File { listen: vec!["127.0.0.1:50051".into()], ..File::default() });
        let uncommented: String = example
            .lines()
            .skip_while(|line| !line.starts_with("# [dataset"))
            .filter(|line| !line.starts_with("# Pipelines"))
            .map(|line| line.trim_start_matches("# ").to_owned() + "\n")
            .collect();
        let file = read(&uncommented).expect("valid");
        assert_eq!((file.pipeline["small"].ops.len(), file.dataset.len()), (4, 1));
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/feedline.toml");
        if std::env::var_os("FEEDLINE_WRITE_EXAMPLE").is_some() {
            std::fs::write(&committed, &example).expect("writable");
        }
        let committed = std::fs::read_to_string(committed).expect("committed");
        assert_eq!(committed, example, "run this test with FEEDLINE_WRITE_EXAMPLE=1 and commit deploy/feedline.toml");
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let unknown = read("thread = 3").expect_err("a typo").to_string();
        assert!(unknown.contains("line 1") && unknown.contains("threads"), "{unknown}");
        let op = read("[pipeline.a]\nops = [{ horizontal_flop = {} }]").expect_err("no such op").to_string();
        assert!(op.contains("line 2") && op.contains("horizontal_flip"), "{op}");
        let range =
            read("[pipeline.a]\nops = [{ horizontal_flip = { p = 2.0 } }]").expect_err("no probability").to_string();
        assert!(range.contains("pipeline.a: ops[0].horizontal_flip.p is 2, expected a number from 0 to 1"), "{range}");
    }
}
