use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use feedline_proto::rule;

use super::Failure;
use super::inspect::read;
use super::load::{ModelArgs, list, named_path};
use super::picture::{Picture, rgb};
use super::spec::named_or_read;
use crate::augment::resources::{Model, Picture as Reference, Resources, Unavailable};
use crate::augment::{Failed, Pipeline, Scratch, preset};
use crate::decode::{Decoder, Limits};
use crate::engine::Models;
use crate::image::{Depth, Form, Image};
use crate::sample::Sample;
use crate::seed::{Key, Purpose};
use crate::sheet::{self, Row};
use crate::source::Listing;

/// Writes a PNG of originals beside several augmented versions of each, to see what a pipeline does.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of images.
    path: String,
    /// Preset (imagenet-train, imagenet-eval, tutorial, none) or TOML file of ops.
    #[arg(long, value_name = "NAME|FILE")]
    pipeline: String,
    /// The picture.
    #[arg(short, long, value_name = "FILE", default_value = "preview.png")]
    output: PathBuf,
    /// Originals, taken evenly from the dataset.
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=64))]
    images: u16,
    /// Versions of each.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=32))]
    versions: u16,
    /// Seed of everything that is drawn.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    models: ModelArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let listings = list(&[named_path(&args.path)])?;
    let mut pipeline = named_or_read(&args.pipeline)?;
    if !pipeline.name.is_empty() {
        let known = || preset::PRESETS.map(|(name, _)| name).join(", ");
        pipeline.ops = preset::ops(&pipeline.name).ok_or_else(|| {
            Failure::usage(format!("no preset {:?}, there is {}; a file ends in .toml", pipeline.name, known()))
        })?;
        pipeline.name.clear();
    }
    let pipeline = rule::with_defaults(&pipeline);
    let entries: Vec<_> =
        listings.iter().flat_map(|listing| &listing.splits).flat_map(|split| &split.entries).collect();
    let wanted = usize::from(args.images).min(entries.len());
    let mut decoder = Decoder::new(Limits::default());
    let resources = FromListing { listings: &listings, models: Models::new(args.models.folder_or(None)?) };
    let mut rows = Vec::new();
    for place in 0..wanted {
        let entry = entries[place * entries.len() / wanted];
        let decoded =
            read(&entry.location).map_err(Failure::new).and_then(|bytes| decoder.decode(&bytes).map_err(Failure::new));
        let decoded = decoded.map_err(|error| Failure::new(format!("{}: {error}", entry.key)))?;
        let class = usize::try_from(entry.label).ok().and_then(|label| listings[0].classes.get(label));
        let caption = vec![class.cloned().unwrap_or_default(), format!("{} {}", entry.key, decoded.size)];
        let form = Form { smallest: decoded.size, largest: decoded.size, channels: 3, depth: Depth::U8 };
        let built = Pipeline::build_with(&pipeline, form, &resources)
            .map_err(|refusal| Failure::usage(format!("{}: {refusal}", entry.key)))?;
        let versions = (0..u32::from(args.versions)).map(|epoch| {
            let key = Key { seed: args.seed, epoch, position: place as u64, view: 0, op: 0, purpose: Purpose::Op };
            let image = Image::from_u8(decoded.size, 3, Cow::Borrowed(&decoded.pixels[..]));
            let run = || built.run(Sample::new(image, entry.label), key, &mut Scratch::default());
            let sample = Failed::caught(run).map_err(|failed| Failure::new(format!("{}: {failed}", entry.key)))?;
            let caption = vec![format!("epoch {epoch}"), sample.image.size().to_string()];
            Ok(Picture { size: sample.image.size(), pixels: rgb(&sample.image, built.output().depth), caption })
        });
        let versions: Vec<_> = versions.collect::<Result<_, Failure>>()?;
        rows.push((Picture { size: decoded.size, pixels: decoded.pixels, caption }, versions));
    }
    let sheet_rows: Vec<Row<'_>> = rows
        .iter()
        .map(|(original, versions)| {
            let versions = versions.iter().map(Picture::tile).collect::<Result<_, _>>()?;
            Ok(Row { original: original.tile()?, versions })
        })
        .collect::<Result<_, Failure>>()?;
    let (size, picture) = sheet::preview(&sheet_rows, 224)?;
    sheet::write_png(&args.output, size, &picture)?;
    say!("{}", args.output.display());
    Ok(())
}

/// Images of the first split, which is the training set where there is one, and models of a folder.
struct FromListing<'a> {
    listings: &'a [Listing],
    models: Models,
}

impl Resources for FromListing<'_> {
    fn picture(&self, sample: u64) -> Result<Arc<Reference>, Unavailable> {
        let entries = self.listings.iter().flat_map(|listing| &listing.splits).map(|split| &split.entries).next();
        let count = entries.map_or(0, Vec::len);
        let found = usize::try_from(sample).ok().and_then(|index| entries?.get(index));
        let entry = found
            .ok_or_else(|| Unavailable::new(sample, format!("a sample's index, 0 to {}", count.saturating_sub(1))))?;
        let bad = |error: String| Unavailable::new(format!("{}: {error}", entry.key), "a sample that can be decoded");
        let bytes = read(&entry.location).map_err(|error| bad(error.to_string()))?;
        let decoded = Decoder::new(Limits::default()).decode(&bytes).map_err(|error| bad(error.to_string()))?;
        Ok(Arc::new(Reference { size: decoded.size, pixels: decoded.pixels }))
    }

    fn model(&self, name: &str) -> Result<Arc<Model>, Unavailable> {
        self.models.get(name)
    }

    fn keep(&self, _: u64) -> Result<(), Unavailable> {
        Ok(())
    }
}
