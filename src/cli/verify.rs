use std::fmt;

use rayon::prelude::*;
use serde::Serialize;

use super::inspect::read;
use super::load::{list, named_path};
use super::{Failure, print_json, progress};
use crate::decode::{DecodeError, Decoder, Limits};
use crate::header;
use crate::image::Size;
use crate::source::{ListedSplit, Location};

/// Decodes every image of a folder, and the masks that its manifest names, and lists what is damaged with the cause.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of images.
    path: String,
    /// Print a line of JSON per damaged or odd file, and a last one with the counts.
    #[arg(long)]
    json: bool,
    /// Pixels of the largest image that is decoded.
    #[arg(long, value_name = "N")]
    max_pixels: Option<u64>,
    /// Worker threads [default: one per processor]
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Damaged,
    TooLarge,
    Unreadable,
    Warning,
}

/// What is wrong with a file.
#[derive(Debug, Serialize)]
struct Finding {
    split: String,
    key: String,
    verdict: Verdict,
    cause: String,
    /// Of a mask: whose it is, and where that is written.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    mask_of: Option<MaskOf>,
}

#[derive(Debug, Serialize)]
struct MaskOf {
    mask_of: String,
    manifest: Option<String>,
    line: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Summary {
    samples: u64,
    #[serde(flatten)]
    images: Counts,
    /// None if no split has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    masks: Option<Masks>,
}

#[derive(Debug, Serialize)]
struct Masks {
    total: u64,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Debug, Serialize)]
struct Counts {
    sound: u64,
    damaged: u64,
    too_large: u64,
    unreadable: u64,
    warnings: u64,
}

impl Counts {
    /// Of `total` files, those of `findings` among them.
    fn of<'f>(total: u64, findings: impl Iterator<Item = &'f Finding> + Clone) -> Counts {
        let count = |of: fn(&Verdict) -> bool| findings.clone().filter(|finding| of(&finding.verdict)).count() as u64;
        let damaged = count(|verdict| matches!(verdict, Verdict::Damaged));
        let too_large = count(|verdict| matches!(verdict, Verdict::TooLarge));
        let unreadable = count(|verdict| matches!(verdict, Verdict::Unreadable));
        let warnings = count(|verdict| matches!(verdict, Verdict::Warning));
        Counts { sound: total - damaged - too_large - unreadable, damaged, too_large, unreadable, warnings }
    }
}

/// A sample to be looked at: its place in its split.
#[derive(Clone, Copy)]
struct Item<'a> {
    split: &'a ListedSplit,
    index: usize,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let listings = list(&[named_path(&args.path)])?;
    let limits = Limits { max_pixels: args.max_pixels.unwrap_or(Limits::default().max_pixels), ..Limits::default() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build().map_err(Failure::new)?;
    let splits = || listings.iter().flat_map(|listing| &listing.splits);
    let items: Vec<Item<'_>> =
        splits().flat_map(|split| (0..split.entries.len()).map(move |index| Item { split, index })).collect();
    let masks = splits().filter_map(|split| split.annotations.as_ref()).map(|own| own.masks.len() as u64).sum();
    let bar = progress::bar(items.len() as u64, "verifying");
    let findings: Vec<Finding> = pool.install(|| {
        items
            .par_iter()
            .map_init(
                || Decoder::new(limits),
                |decoder, item| {
                    let found = item.verify(decoder);
                    bar.inc(1);
                    found
                },
            )
            .flatten_iter()
            .collect()
    });
    bar.finish_and_clear();
    let samples = items.len() as u64;
    let summary = Summary {
        samples,
        images: Counts::of(samples, findings.iter().filter(|finding| finding.mask_of.is_none())),
        masks: (masks > 0).then(|| Masks {
            total: masks,
            counts: Counts::of(masks, findings.iter().filter(|finding| finding.mask_of.is_some())),
        }),
    };
    for finding in &findings {
        if args.json {
            print_json(finding)?;
        } else {
            say!("{finding}");
        }
    }
    if args.json {
        print_json(&summary)?;
    } else {
        let Counts { sound, damaged, too_large, unreadable, warnings } = &summary.images;
        say!(
            "{samples} samples: {sound} sound ({warnings} with warnings), {damaged} damaged, {too_large} too large, {unreadable} unreadable"
        );
        if let Some(Masks { total, counts: Counts { sound, damaged, too_large, unreadable, .. } }) = &summary.masks {
            say!("{total} masks: {sound} sound, {damaged} damaged, {too_large} too large, {unreadable} unreadable");
        }
    }
    let sound = summary.images.sound == samples && summary.masks.is_none_or(|own| own.counts.sound == own.total);
    if sound { Ok(()) } else { Err(Failure { message: String::new(), code: 1 }) }
}

impl Item<'_> {
    /// What is wrong with the image, and with each of its masks.
    fn verify(self, decoder: &mut Decoder) -> Vec<Finding> {
        let Item { split, index } = self;
        let entry = &split.entries[index];
        let finding = |key: &str, (verdict, cause), mask_of| Finding {
            split: split.name.clone(),
            key: key.to_owned(),
            verdict,
            cause,
            mask_of,
        };
        let (size, found) = verify_image(decoder, &entry.location);
        let mut findings: Vec<Finding> = found.into_iter().map(|found| finding(&entry.key, found, None)).collect();
        let Some(annotations) = &split.annotations else { return findings };
        let of = annotations.masks_per_sample;
        for mask in annotations.masks.iter().skip(index * of).take(of) {
            let Some(found) = verify_mask(decoder, &mask.location, size) else { continue };
            let written = annotations.written.as_ref();
            let mask_of = MaskOf {
                mask_of: entry.key.clone(),
                manifest: written.map(|written| written.manifest.display().to_string()),
                line: written.and_then(|written| written.lines.get(index).copied()),
            };
            findings.push(finding(&mask.key, found, Some(mask_of)));
        }
        findings
    }
}

/// The size of an image if that can be told, and what is wrong with it.
fn verify_image(decoder: &mut Decoder, location: &Location) -> (Option<Size>, Option<(Verdict, String)>) {
    let bytes = match read(location) {
        Err(error) => return (None, Some((Verdict::Unreadable, error.to_string()))),
        Ok(bytes) => bytes,
    };
    match decoder.verify(&bytes) {
        Ok(info) => {
            let warning = (!info.warnings.is_empty()).then(|| (Verdict::Warning, info.warnings.join("; ")));
            (Some(info.size), warning)
        }
        Err(error) => (header::read(&bytes).ok().map(|header| header.size), Some(verdict(&error))),
    }
}

/// What is wrong with a mask of an image of `size`.
fn verify_mask(decoder: &Decoder, location: &Location, size: Option<Size>) -> Option<(Verdict, String)> {
    let bytes = match read(location) {
        Err(error) => return Some((Verdict::Unreadable, error.to_string())),
        Ok(bytes) => bytes,
    };
    match decoder.masks(1, |_| &bytes) {
        Err(error) => Some(verdict(&error)),
        Ok(masks) => {
            let other = masks.first().map(|mask| mask.size).zip(size).filter(|(own, expected)| own != expected)?;
            Some((Verdict::Damaged, format!("is of {}, expected {} as its image", other.0, other.1)))
        }
    }
}

fn verdict(error: &DecodeError) -> (Verdict, String) {
    (if error.is_limit() { Verdict::TooLarge } else { Verdict::Damaged }, error.to_string())
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Damaged => "damaged",
            Verdict::TooLarge => "too large",
            Verdict::Unreadable => "unreadable",
            Verdict::Warning => "warning",
        };
        write!(f, "{verdict}  {}: {}", self.key, self.cause)?;
        match &self.mask_of {
            None => Ok(()),
            Some(MaskOf { mask_of, manifest: Some(manifest), line: Some(line) }) => {
                write!(f, " (mask of {mask_of}, {manifest}:{line})")
            }
            Some(MaskOf { mask_of, .. }) => write!(f, " (mask of {mask_of})"),
        }
    }
}
