use std::path::{Path, PathBuf};

use feedline_proto::v1;

use super::{Failure, indices};
use crate::config;
use crate::plan::Cursor;
use crate::store::parse_size;

/// What is in a batch.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "What is in a batch")]
pub(super) struct SpecArgs {
    /// TOML file of a whole loader spec; flags override it.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Dataset [default: the only one]
    #[arg(long, value_name = "NAME")]
    dataset: Option<String>,
    /// Split, with a slice if wanted: train, train[:80%], validation[100:200] [default: train]
    #[arg(long, value_name = "SPLIT")]
    split: Option<String>,
    /// Text file with the indices of chosen samples, one a line, in place of the whole split; not beside a slice.
    #[arg(long, value_name = "FILE")]
    indices: Option<PathBuf>,
    /// Preset (imagenet-train, imagenet-eval, tutorial, none), pipeline of the server, or TOML file of ops.
    #[arg(long, value_name = "NAME|FILE")]
    pipeline: Option<String>,
    /// Rows of each rank in a step [default: 64]
    #[arg(long, value_name = "ROWS", conflicts_with = "global_batch_size", value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,
    /// Rows of all ranks together in a step.
    #[arg(long, value_name = "ROWS")]
    global_batch_size: Option<u32>,
    /// Seed of everything that is drawn [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Order of an epoch: shuffled or sequential [default: shuffled]
    #[arg(long, value_name = "ORDER", value_parser = order)]
    order: Option<v1::Order>,
    /// What becomes of the last, incomplete batch: drop, short or wrap [default: drop if shuffled, short if sequential]
    #[arg(long, value_name = "END", value_parser = last_batch)]
    last_batch: Option<v1::LastBatch>,
    /// Mixing of rows: none, cutmix, mixup or mosaic [default: none]
    #[arg(long, value_name = "KIND", value_parser = mix)]
    mix: Option<Mix>,
    /// Decode JPEG files at 1/2, 1/4 or 1/8 of their size where the pipeline begins with shrinking them at least as far: faster, other
    /// pixels.
    #[arg(long)]
    scaled: bool,
}

/// In what form batches come.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "In what form")]
pub(super) struct FormArgs {
    /// Type of the image tensor: u8, f16, bf16 or f32 [default: f32]
    #[arg(long, value_name = "DTYPE", value_parser = dtype)]
    pub(super) dtype: Option<v1::Dtype>,
    /// Order of its axes: nchw or nhwc [default: nchw]
    #[arg(long, value_name = "LAYOUT", value_parser = layout)]
    pub(super) layout: Option<v1::Layout>,
    /// What becomes of damaged samples: fail or substitute [default: fail]
    #[arg(long, value_name = "POLICY", value_parser = bad_samples)]
    pub(super) bad_samples: Option<v1::BadSamples>,
    /// How the numbers of boxes are meant: pascal_voc, coco, yolo or normalized [default: pascal_voc]
    #[arg(long, value_name = "FORMAT", value_parser = box_format)]
    pub(super) box_format: Option<v1::BoxFormat>,
    /// Batches that are made ahead of the one that is being read, in bytes, such as 32MiB [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(super) prefetch: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Mix {
    None,
    Cut,
    Up,
    Mosaic,
}

fn order(text: &str) -> Result<v1::Order, String> {
    match text {
        "shuffled" => Ok(v1::Order::Shuffled),
        "sequential" => Ok(v1::Order::Sequential),
        _ => Err("expected shuffled or sequential".into()),
    }
}

fn last_batch(text: &str) -> Result<v1::LastBatch, String> {
    match text {
        "drop" => Ok(v1::LastBatch::Drop),
        "short" => Ok(v1::LastBatch::Short),
        "wrap" => Ok(v1::LastBatch::Wrap),
        _ => Err("expected drop, short or wrap".into()),
    }
}

fn mix(text: &str) -> Result<Mix, String> {
    match text {
        "none" => Ok(Mix::None),
        "cutmix" => Ok(Mix::Cut),
        "mixup" => Ok(Mix::Up),
        "mosaic" => Ok(Mix::Mosaic),
        _ => Err("expected none, cutmix, mixup or mosaic".into()),
    }
}

fn dtype(text: &str) -> Result<v1::Dtype, String> {
    match text {
        "u8" => Ok(v1::Dtype::Uint8),
        "f16" => Ok(v1::Dtype::Fp16),
        "bf16" => Ok(v1::Dtype::Bf16),
        "f32" => Ok(v1::Dtype::Fp32),
        _ => Err("expected u8, f16, bf16 or f32".into()),
    }
}

fn layout(text: &str) -> Result<v1::Layout, String> {
    match text {
        "nchw" => Ok(v1::Layout::Nchw),
        "nhwc" => Ok(v1::Layout::Nhwc),
        _ => Err("expected nchw or nhwc".into()),
    }
}

fn bad_samples(text: &str) -> Result<v1::BadSamples, String> {
    match text {
        "fail" => Ok(v1::BadSamples::Fail),
        "substitute" => Ok(v1::BadSamples::Substitute),
        _ => Err("expected fail or substitute".into()),
    }
}

fn box_format(text: &str) -> Result<v1::BoxFormat, String> {
    match text {
        "pascal_voc" => Ok(v1::BoxFormat::PascalVoc),
        "coco" => Ok(v1::BoxFormat::Coco),
        "yolo" => Ok(v1::BoxFormat::Yolo),
        "normalized" => Ok(v1::BoxFormat::Normalized),
        _ => Err("expected pascal_voc, coco, yolo or normalized".into()),
    }
}

/// Reads `EPOCH:STEP`.
pub(super) fn cursor(text: &str) -> Result<Cursor, String> {
    text.parse()
}

impl SpecArgs {
    /// Whether they or the file say how many rows a batch has.
    pub(super) fn names_batch_size(&self) -> Result<bool, Failure> {
        if self.batch_size.is_some() || self.global_batch_size.is_some() {
            return Ok(true);
        }
        let spec = self.spec.as_deref().map(config::read_spec).transpose()?;
        Ok(spec.is_some_and(|spec| spec.global_batch_size > 0))
    }

    /// The loader spec that they mean, for `world_size` ranks; `pipeline` unless they or the file name one.
    pub(super) fn loader_spec(&self, world_size: u32, pipeline: &str) -> Result<v1::LoaderSpec, Failure> {
        let mut spec = self.spec.as_deref().map(config::read_spec).transpose()?.unwrap_or_default();
        if let Some(dataset) = &self.dataset {
            spec.dataset.clone_from(dataset);
        }
        if let Some(split) = &self.split {
            spec.split.clone_from(split);
        }
        if let Some(path) = &self.indices {
            spec.subset = Some(v1::Subset { indices: indices::read(path)?, ..Default::default() });
        }
        if let Some(pipeline) = &self.pipeline {
            spec.pipeline = Some(named_or_read(pipeline)?);
        }
        if spec.pipeline.is_none() {
            spec.pipeline = Some(named_or_read(pipeline)?);
        }
        if let Some(rows) = self.batch_size {
            let global = rows.checked_mul(world_size);
            spec.global_batch_size =
                global.ok_or_else(|| Failure::usage("--batch-size times --world-size is too large"))?;
        }
        if let Some(global) = self.global_batch_size {
            spec.global_batch_size = global;
        } else if spec.global_batch_size == 0 {
            spec.global_batch_size = world_size.saturating_mul(64);
        }
        if let Some(seed) = self.seed {
            spec.seed = seed;
        }
        if let Some(order) = self.order {
            spec.set_order(order);
        }
        if let Some(last_batch) = self.last_batch {
            spec.set_last_batch(last_batch);
        }
        let kind = |kind| Some(v1::Mixing { kind: Some(kind), ..Default::default() });
        match self.mix {
            None => {}
            Some(Mix::None) => spec.mixing = None,
            Some(Mix::Cut) => spec.mixing = kind(v1::mixing::Kind::Cutmix(v1::CutMix::default())),
            Some(Mix::Up) => spec.mixing = kind(v1::mixing::Kind::Mixup(v1::MixUp::default())),
            Some(Mix::Mosaic) => spec.mixing = kind(v1::mixing::Kind::Mosaic(v1::Mosaic::default())),
        }
        if self.scaled {
            spec.decode.get_or_insert_default().scaled = true;
        }
        Ok(spec)
    }
}

impl FormArgs {
    /// The delivery that they mean; the rest is default.
    pub(super) fn delivery(&self) -> v1::Delivery {
        let mut delivery = v1::Delivery::default();
        delivery.set_dtype(self.dtype.unwrap_or_default());
        delivery.set_layout(self.layout.unwrap_or_default());
        delivery.set_bad_samples(self.bad_samples.unwrap_or_default());
        delivery.set_box_format(self.box_format.unwrap_or_default());
        delivery.prefetch_bytes = self.prefetch;
        delivery
    }
}

/// A pipeline by name, or the ops of a file: what ends in `.toml` or has a slash is a file.
pub(super) fn named_or_read(text: &str) -> Result<v1::Pipeline, Failure> {
    if text.ends_with(".toml") || text.contains('/') {
        return Ok(config::read_pipeline(Path::new(text))?);
    }
    Ok(v1::Pipeline { name: text.to_owned(), ops: Vec::new() })
}
