use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::augment::{Failed, Pipeline, Recorded, Scratch};
use crate::cli::Failure;
use crate::cli::picture::{Picture, likely_depth, rgb};
use crate::image::{Image, Pixels, Size};
use crate::sample::Sample;
use crate::seed::Key;
use crate::sheet::{self, Tile};

/// `record.json`.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    pub(super) key: String,
    pub(super) label: i64,
    pub(super) split: String,
    pub(super) sample: u64,
    pub(super) epoch: u32,
    /// Place in the epoch's endless sequence of rows: what the draws are keyed by.
    pub(super) position: u64,
    /// Whether batches can be made: false if none was asked for and none of the default size are possible.
    pub(super) has_batches: bool,
    /// Step of the epoch that the sample comes in, and its row of the global batch; none in an epoch that drops it, and without
    /// batches.
    pub(super) step: Option<u64>,
    pub(super) row: Option<u64>,
    pub(super) seed: u64,
    /// Of the spec; none without batches.
    pub(super) fingerprint: Option<String>,
    pub(super) size: Size,
    /// A batch has it decoded at 1 / this of its size.
    pub(super) reduction: u32,
    /// Of a spec with views the ops that are common to all of them.
    #[serde(flatten)]
    pub(super) ran: Ran,
    /// What is made of that, view by view of group by group; nothing for a spec without views.
    pub(super) views: Vec<View>,
    /// What is not shown here: what becomes of the row after these ops.
    pub(super) then: Vec<&'static str>,
    /// Ops that are left to the writing of the batch, or to the client.
    pub(super) deferred: Vec<&'static str>,
    /// Whether `--replay` gave the pixels that were recorded, in every view; none without.
    pub(super) replayed_equal: Option<bool>,
}

/// A view of the sample.
#[derive(Debug, Serialize)]
pub(super) struct View {
    /// The tensor that it stands in.
    pub(super) tensor: String,
    /// Its number among the views of that tensor, from 0.
    pub(super) view: u32,
    /// Of the image that was made.
    pub(super) size: Size,
    /// That image: the picture of the last step if there is one.
    pub(super) picture: String,
    #[serde(flatten)]
    pub(super) ran: Ran,
}

/// What a pipeline did to the sample.
#[derive(Debug, Serialize)]
pub(super) struct Ran {
    pub(super) steps: Vec<Step>,
    /// Ops that the draw left out.
    pub(super) skipped: Vec<Skipped>,
    /// BLAKE3 of the pixels that leave the last of `steps`.
    pub(super) digest: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Step {
    #[serde(flatten)]
    pub(super) drawn: Recorded,
    pub(super) size: Size,
    pub(super) picture: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Skipped {
    pub(super) number: u32,
    pub(super) op: &'static str,
}

/// What is read of a `record.json`.
#[derive(Deserialize)]
pub(super) struct Replay {
    steps: Vec<Recorded>,
    digest: Option<String>,
    #[serde(default)]
    views: Vec<ReplayedView>,
}

#[derive(Deserialize)]
struct ReplayedView {
    tensor: String,
    view: u32,
    steps: Vec<Recorded>,
    digest: Option<String>,
}

impl Replay {
    /// # Errors
    /// If the file can't be read, or is no record.
    pub(super) fn read(path: &Path) -> Result<Replay, Failure> {
        let text =
            std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{}: no record: {error}", path.display())))
    }

    /// What the ops drew that are common to all views.
    pub(super) fn steps(&self) -> &[Recorded] {
        &self.steps
    }

    /// What the ops of a view drew.
    ///
    /// # Errors
    /// If it is not there.
    pub(super) fn steps_of(&self, tensor: &str, view: u32) -> Result<&[Recorded], Failure> {
        let found = self.views.iter().find(|known| (known.tensor.as_str(), known.view) == (tensor, view));
        let missing = || Failure::usage(format!("the record has no view {view} of {tensor}: it is of another spec"));
        found.map(|view| &view.steps[..]).ok_or_else(missing)
    }

    /// Whether all of the pixels are those of the record.
    pub(super) fn equals(&self, ran: &Ran, views: &[View]) -> bool {
        let own = |made: &View| {
            let mut recorded = self.views.iter();
            recorded.any(|view| view.tensor == made.tensor && view.view == made.view && agrees(&view.digest, &made.ran))
        };
        agrees(&self.digest, ran) && self.views.len() == views.len() && views.iter().all(own)
    }
}

fn agrees(digest: &Option<String>, ran: &Ran) -> bool {
    digest.as_deref() == Some(&ran.digest)
}

/// The pictures that are written, with the names of their files.
pub(super) struct Pictures {
    /// Key of the sample, for failures.
    key: String,
    named: Vec<(String, Picture)>,
}

impl Pictures {
    /// Begins with the original.
    pub(super) fn of(original: &Image<'_>, key: String) -> Pictures {
        let mut pictures = Pictures { key, named: Vec::new() };
        pictures.add("00-original.png".into(), original, vec!["original".into(), original.size().to_string()]);
        pictures
    }

    /// One more.
    pub(super) fn add(&mut self, name: String, image: &Image<'_>, caption: Vec<String>) {
        let picture = Picture { size: image.size(), pixels: rgb(image, likely_depth(image)), caption };
        self.named.push((name, picture));
    }

    /// Writes each, and all of them on a sheet.
    ///
    /// # Errors
    /// If the folder can't be written to.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
        for (name, picture) in &self.named {
            sheet::write_png(&folder.join(name), picture.size, &picture.pixels)?;
        }
        let tiles: Vec<Tile<'_>> = self.named.iter().map(|(_, picture)| picture.tile()).collect::<Result<_, _>>()?;
        let (size, picture) = sheet::grid(&tiles, COLUMNS, TILE)?;
        sheet::write_png(&folder.join("sheet.png"), size, &picture)?;
        Ok(())
    }
}

impl Explained {
    /// Writes `record.json`.
    ///
    /// # Errors
    /// If the folder can't be written to.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let record = serde_json::to_string_pretty(self).map_err(Failure::new)?;
        std::fs::write(folder.join("record.json"), record + "\n").map_err(|error| unwritable(folder, &error))
    }
}

fn unwritable(folder: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("can't write to {}: {error}", folder.display()))
}

impl Ran {
    /// Runs a pipeline on a sample, or applies what was drawn before; pictures of it have names that begin with `prefix`.
    ///
    /// # Errors
    /// If what was drawn is not of this pipeline, or an op fails.
    pub(super) fn new<'a>(
        pipeline: &Pipeline,
        sample: Sample<'a>,
        key: Key,
        replay: Option<&[Recorded]>,
        (prefix, pictures): (&str, &mut Pictures),
    ) -> Result<(Sample<'a>, Ran), Failure> {
        let (mut steps, mut scratch, name) = (Vec::new(), Scratch::default(), pictures.key.clone());
        let mut note = |drawn: Recorded, sample: &Sample<'_>| {
            let size = sample.image.size();
            let name = format!("{prefix}{:02}-{}.png", steps.len() + 1, drawn.op);
            let caption = vec![format!("{prefix}{} {size}", drawn.op), short(&drawn.params)];
            pictures.add(name.clone(), &sample.image, caption);
            steps.push(Step { drawn, size, picture: name });
        };
        let result = Failed::caught(|| match replay {
            None => Ok(pipeline.run_watched(sample, key, &mut scratch, &mut note)),
            Some(record) => {
                let watch = &mut |drawn: &Recorded, sample: &Sample<'_>| note(drawn.clone(), sample);
                pipeline.replay_watched(sample, record, &mut scratch, watch)
            }
        });
        let made = result
            .map_err(|failed| Failure::new(format!("{name}: {failed}")))?
            .map_err(|refusal| Failure::usage(format!("the record does not fit this pipeline: {refusal}")))?;
        let left_out = |(number, _): &(u32, _)| steps.iter().all(|step| step.drawn.number != *number);
        let skipped = pipeline.ops().into_iter().filter(left_out);
        let skipped = skipped.map(|(number, op)| Skipped { number, op }).collect();
        let digest = digest(&made.image);
        Ok((made, Ran { steps, skipped, digest }))
    }
}

/// Parameters as a caption has room for them: without quotes, floats of three places.
fn short(params: &serde_json::Value) -> String {
    use serde_json::Value;
    match params {
        Value::Null => String::new(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        Value::Array(entries) => format!("[{}]", entries.iter().map(short).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{name} {}", short(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn digest(image: &Image<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    let size = image.size();
    hasher.update(format!("{size} {}\n", image.channels()).as_bytes());
    match image.pixels() {
        Pixels::U8(values) => hasher.update(values),
        Pixels::F32(values) => hasher.update(bytemuck::cast_slice(values)),
    };
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Pictures beside each other on the sheet.
const COLUMNS: usize = 5;
/// Side of one, in pixels.
const TILE: u32 = 224;
