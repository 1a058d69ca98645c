use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use super::inspect::read;
use super::load::{list, named_path};
use super::{Failure, print_json, progress};
use crate::decode::{Decoder, Limits};

/// Decodes every image of a folder, and lists what is damaged with the cause.
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

#[derive(Debug, Serialize)]
struct Finding {
    split: String,
    key: String,
    verdict: Verdict,
    cause: String,
}

#[derive(Debug, Serialize)]
struct Summary {
    samples: u64,
    sound: u64,
    damaged: u64,
    too_large: u64,
    unreadable: u64,
    warnings: u64,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let listings = list(&[named_path(&args.path)])?;
    let limits = Limits { max_pixels: args.max_pixels.unwrap_or(Limits::default().max_pixels), ..Limits::default() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build().map_err(Failure::new)?;
    let entries: Vec<_> = listings
        .iter()
        .flat_map(|listing| &listing.splits)
        .flat_map(|split| split.entries.iter().map(move |entry| (split.name.as_str(), entry)))
        .collect();
    let bar = progress::bar(entries.len() as u64, "verifying");
    let sound = AtomicU64::new(0);
    let findings: Vec<Finding> = pool.install(|| {
        entries
            .par_iter()
            .map_init(
                || Decoder::new(limits),
                |decoder, (split, entry)| {
                    let found = match read(entry) {
                        Err(error) => Some((Verdict::Unreadable, error.to_string())),
                        Ok(bytes) => match decoder.verify(&bytes) {
                            Ok(info) if info.warnings.is_empty() => None,
                            Ok(info) => Some((Verdict::Warning, info.warnings.join("; "))),
                            Err(error) if error.is_limit() => Some((Verdict::TooLarge, error.to_string())),
                            Err(error) => Some((Verdict::Damaged, error.to_string())),
                        },
                    };
                    bar.inc(1);
                    if matches!(found, None | Some((Verdict::Warning, _))) {
                        sound.fetch_add(1, Ordering::Relaxed);
                    }
                    found.map(|(verdict, cause)| Finding {
                        split: (*split).to_owned(),
                        key: entry.key.clone(),
                        verdict,
                        cause,
                    })
                },
            )
            .flatten()
            .collect()
    });
    bar.finish_and_clear();
    let count = |of: fn(&Verdict) -> bool| findings.iter().filter(|finding| of(&finding.verdict)).count() as u64;
    let summary = Summary {
        samples: entries.len() as u64,
        sound: sound.into_inner(),
        damaged: count(|verdict| matches!(verdict, Verdict::Damaged)),
        too_large: count(|verdict| matches!(verdict, Verdict::TooLarge)),
        unreadable: count(|verdict| matches!(verdict, Verdict::Unreadable)),
        warnings: count(|verdict| matches!(verdict, Verdict::Warning)),
    };
    for finding in &findings {
        if args.json {
            print_json(finding)?;
        } else {
            let verdict = match finding.verdict {
                Verdict::Damaged => "damaged",
                Verdict::TooLarge => "too large",
                Verdict::Unreadable => "unreadable",
                Verdict::Warning => "warning",
            };
            say!("{verdict}  {}: {}", finding.key, finding.cause);
        }
    }
    if args.json {
        print_json(&summary)?;
    } else {
        let Summary { samples, sound, damaged, too_large, unreadable, warnings } = summary;
        say!(
            "{samples} samples: {sound} sound ({warnings} with warnings), {damaged} damaged, {too_large} too large, {unreadable} unreadable"
        );
    }
    if summary.sound < summary.samples { Err(Failure { message: String::new(), code: 1 }) } else { Ok(()) }
}
