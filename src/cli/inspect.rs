use std::collections::BTreeMap;

use feedline_proto::v1;
use rayon::prelude::*;
use serde::Serialize;

use super::load::{list, named_path};
use super::{Failure, print_json, runtime};
use crate::client::{Client, Options};
use crate::header;
use crate::image::Size;
use crate::source::{Listing, Location};
use crate::store::Human;

/// Shows what is in a folder, or what a server has. Only headers are looked at; `verify` decodes everything.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of images, or HOST:PORT of a server.
    #[arg(value_name = "PATH|ADDRESS")]
    target: String,
    /// Print a line of JSON per dataset.
    #[arg(long)]
    json: bool,
}

/// A dataset as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    fingerprint: Option<String>,
    classes: Vec<String>,
    splits: Vec<ShownSplit>,
    ignored: Vec<ShownIgnored>,
}

#[derive(Debug, Serialize)]
struct ShownSplit {
    name: String,
    samples: u64,
    bytes: u64,
    class_samples: Vec<u64>,
    formats: BTreeMap<String, u64>,
    smallest: Option<Size>,
    largest: Option<Size>,
    damaged: Vec<ShownDamage>,
}

#[derive(Debug, Serialize)]
struct ShownDamage {
    key: String,
    cause: String,
}

#[derive(Debug, Serialize)]
struct ShownIgnored {
    path: String,
    why: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (name, path) = named_path(&args.target);
    let datasets = if path.exists() || !looks_like_address(&args.target) {
        list(&[(name, path)])?.iter().map(of_listing).collect()
    } else {
        runtime::block_on(of_server(&args.target))??
    };
    for dataset in &datasets {
        if args.json {
            print_json(dataset)?;
        } else {
            print(dataset)?;
        }
    }
    Ok(())
}

fn looks_like_address(text: &str) -> bool {
    let port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    text.starts_with("http://") || text.starts_with("unix:") || port
}

/// Bytes of a listed image or mask.
pub(super) fn read(location: &Location) -> std::io::Result<Vec<u8>> {
    match location {
        Location::Path(path) => std::fs::read(path),
        Location::Embedded(bytes) => Ok(bytes.to_vec()),
        Location::Memory(bytes) => Ok(bytes.to_vec()),
    }
}

fn of_listing(listing: &Listing) -> Shown {
    let splits = listing.splits.iter().map(|split| {
        let headers: Vec<_> = split
            .entries
            .par_iter()
            .map(|entry| {
                let bytes = read(&entry.location).map_err(|error| format!("can't be read: {error}"))?;
                header::read(&bytes).map_err(|error| error.to_string())
            })
            .collect();
        let mut shown = ShownSplit {
            name: split.name.clone(),
            samples: split.entries.len() as u64,
            bytes: split.entries.iter().map(|entry| entry.bytes).sum(),
            class_samples: vec![0; listing.classes.len()],
            formats: BTreeMap::new(),
            smallest: None,
            largest: None,
            damaged: Vec::new(),
        };
        for (entry, header) in split.entries.iter().zip(headers) {
            if let Some(count) = usize::try_from(entry.label).ok().and_then(|label| shown.class_samples.get_mut(label))
            {
                *count += 1;
            }
            match header {
                Ok(header) => {
                    *shown.formats.entry(format!("{:?}", header.format).to_lowercase()).or_default() += 1;
                    let Size { width, height } = header.size;
                    let (small, large) = (shown.smallest.unwrap_or(header.size), shown.largest.unwrap_or(header.size));
                    shown.smallest = Some(Size::new(small.width.min(width), small.height.min(height)));
                    shown.largest = Some(Size::new(large.width.max(width), large.height.max(height)));
                }
                Err(cause) => shown.damaged.push(ShownDamage { key: entry.key.clone(), cause }),
            }
        }
        shown
    });
    Shown {
        name: listing.name.clone(),
        fingerprint: None,
        classes: listing.classes.clone(),
        splits: splits.collect(),
        ignored: listing
            .ignored
            .iter()
            .map(|ignored| ShownIgnored { path: ignored.path.clone(), why: ignored.why.to_string() })
            .collect(),
    }
}

async fn of_server(address: &str) -> Result<Vec<Shown>, Failure> {
    let client = Client::new(address, Options { retry_for: std::time::Duration::from_secs(5), ..Options::default() })?;
    let mut shown = Vec::new();
    for dataset in client.list_datasets().await?.datasets {
        let mut splits = Vec::new();
        for split in &dataset.splits {
            splits.push(of_split(&client, &dataset.name, split).await?);
        }
        let v1::Dataset { name, fingerprint, classes, .. } = dataset;
        shown.push(Shown { name, fingerprint: Some(fingerprint), classes, splits, ignored: Vec::new() });
    }
    Ok(shown)
}

async fn of_split(client: &Client, dataset: &str, split: &v1::Split) -> Result<ShownSplit, Failure> {
    let mut shown = ShownSplit {
        name: split.name.clone(),
        samples: split.samples,
        bytes: split.bytes,
        class_samples: split.class_samples.clone(),
        formats: BTreeMap::new(),
        smallest: None,
        largest: None,
        damaged: Vec::new(),
    };
    let mut request = v1::ListSamplesRequest {
        dataset: dataset.to_owned(),
        split: split.name.clone(),
        page_size: Some(10_000),
        ..Default::default()
    };
    loop {
        let page = client.list_samples(request.clone()).await?;
        for sample in page.samples {
            if !sample.cause.is_empty() {
                shown.damaged.push(ShownDamage { key: sample.key, cause: sample.cause });
            } else if sample.width > 0 {
                let (small, large) = (shown.smallest, shown.largest);
                let (w, h) = (sample.width, sample.height);
                shown.smallest = Some(small.map_or(Size::new(w, h), |s| Size::new(s.width.min(w), s.height.min(h))));
                shown.largest = Some(large.map_or(Size::new(w, h), |l| Size::new(l.width.max(w), l.height.max(h))));
            }
        }
        if page.next_page_token.is_empty() {
            return Ok(shown);
        }
        request.page_token = page.next_page_token;
    }
}

fn print(dataset: &Shown) -> Result<(), Failure> {
    say!("dataset {}", dataset.name);
    if let Some(fingerprint) = &dataset.fingerprint {
        say!("  fingerprint {fingerprint}");
    }
    for split in &dataset.splits {
        say!("  {}: {} samples, {}", split.name, split.samples, Human(split.bytes));
        if let (Some(smallest), Some(largest)) = (split.smallest, split.largest) {
            say!("    sizes {smallest} to {largest}");
        }
        if !split.formats.is_empty() {
            let formats: Vec<_> = split.formats.iter().map(|(format, count)| format!("{count} {format}")).collect();
            say!("    formats {}", formats.join(", "));
        }
        for (label, (class, count)) in dataset.classes.iter().zip(&split.class_samples).enumerate() {
            say!("    {label:5} {count:8}  {class}");
        }
        if dataset.classes.is_empty() {
            say!("    no classes: every label is -1");
        }
        list_some("damaged", split.damaged.iter().map(|damage| (&damage.key, &damage.cause)))?;
    }
    list_some("ignored", dataset.ignored.iter().map(|ignored| (&ignored.path, &ignored.why)))
}

/// Prints the first of a list that may be long.
fn list_some<'a>(what: &str, entries: impl ExactSizeIterator<Item = (&'a String, &'a String)>) -> Result<(), Failure> {
    let count = entries.len();
    if count == 0 {
        return Ok(());
    }
    say!("    {count} {what}");
    for (name, why) in entries.take(MOST_LISTED) {
        say!("      {name}: {why}");
    }
    if count > MOST_LISTED {
        say!("      ... and {} more (--json lists all)", count - MOST_LISTED);
    }
    Ok(())
}

const MOST_LISTED: usize = 20;
