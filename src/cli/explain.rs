use std::borrow::Cow;
use std::path::{Path, PathBuf};

use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::load::{StoreArgs, list, load, named_path};
use super::picture::{Picture, likely_depth, rgb};
use super::spec::SpecArgs;
use super::{Failure, print_json};
use crate::augment::{Recorded, Scratch};
use crate::decode::{self, Decoder, Limits};
use crate::engine::{Engine, Options, Recipe};
use crate::image::{Image, Pixels, Size};
use crate::sample::Sample;
use crate::seed::{Key, Purpose};
use crate::sheet::{self, Tile};

/// Shows what a pipeline does to one sample in one epoch: what each op drew, and the image after it. What was drawn is written
/// to a file, from which it can be replayed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of images.
    path: String,
    /// Index of the sample in its split (`pull` and `ListSamples` name it).
    #[arg(long, value_name = "N")]
    sample: u64,
    /// Epoch, from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    epoch: u32,
    /// Folder for the pictures, a sheet of all of them (`sheet.png`), and `record.json`. Made if it is not there.
    #[arg(short, long, value_name = "DIR", default_value = "explained")]
    out: PathBuf,
    /// Apply what this file (a `record.json`) says was drawn, in place of drawing; exit code 1 if that gives other pixels.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Print what `record.json` holds on the last line of standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    spec: SpecArgs,
    #[command(flatten)]
    store: StoreArgs,
}

/// `record.json`.
#[derive(Debug, Serialize)]
struct Explained {
    key: String,
    label: i64,
    split: String,
    sample: u64,
    epoch: u32,
    /// Place in the epoch's endless sequence of rows: what the draws are keyed by.
    position: u64,
    /// Whether batches can be made: false if none was asked for and none of the default size are possible.
    has_batches: bool,
    /// Step of the epoch that the sample comes in, and its row of the global batch; none in an epoch that drops it, and without
    /// batches.
    step: Option<u64>,
    row: Option<u64>,
    seed: u64,
    /// Of the spec; none without batches.
    fingerprint: Option<String>,
    size: Size,
    steps: Vec<Step>,
    /// Ops that the draw left out.
    skipped: Vec<Skipped>,
    /// What is not shown here: what becomes of the row after these ops.
    then: Vec<&'static str>,
    /// Ops that are left to the writing of the batch, or to the client.
    deferred: Vec<&'static str>,
    /// BLAKE3 of the pixels that leave the last of `steps`.
    digest: String,
    /// Whether `--replay` gave the pixels that were recorded; none without.
    replayed_equal: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Step {
    #[serde(flatten)]
    drawn: Recorded,
    size: Size,
    picture: String,
}

#[derive(Debug, Serialize)]
struct Skipped {
    number: u32,
    op: &'static str,
}

/// What is read of a `record.json`.
#[derive(Deserialize)]
struct Replay {
    steps: Vec<Recorded>,
    digest: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let replay = args.replay.as_deref().map(read_replay).transpose()?;
    let datasets = load(list(&[named_path(&args.path)])?, &args.store.options())?;
    let engine = Engine::new(datasets, Default::default(), Options { threads: 1, ..Options::default() })?;
    let spec = args.spec.loader_spec(1, "imagenet-train")?;
    let resolve = |spec: &v1::LoaderSpec| engine.resolve(spec, &v1::Placement::default(), &v1::Delivery::default());
    let (request, has_batches) = match resolve(&spec) {
        Ok(request) => (request, true),
        // What happens to a sample does not depend on how many share its batch: with no number given, it need not be one that the
        // slice and the pipeline allow.
        Err(_) if !args.spec.names_batch_size()? => (resolve(&v1::LoaderSpec { global_batch_size: 1, ..spec })?, false),
        Err(error) => return Err(error.into()),
    };
    let recipe = &*request.recipe;
    let place = Place::find(recipe, args, has_batches)?;
    let original = decoded(recipe, args)?;

    let mut steps = Steps::default();
    let label = recipe.samples().label(args.sample);
    steps.pictures.push(picture(&original, vec!["original".into(), original.size().to_string()]));
    let size = original.size();
    let sample = Sample::new(original, label);
    let mut scratch = Scratch::default();
    let result = match &replay {
        None => {
            let watch = &mut |drawn: Recorded, sample: &Sample<'_>| steps.note(drawn, sample);
            recipe.pipeline.run_watched(sample, place.key, &mut scratch, watch)
        }
        Some(replay) => {
            let watch = &mut |drawn: &Recorded, sample: &Sample<'_>| steps.note(drawn.clone(), sample);
            let replayed = recipe.pipeline.replay_watched(sample, &replay.steps, &mut scratch, watch);
            replayed.map_err(|refusal| Failure::usage(format!("the record does not fit this pipeline: {refusal}")))?
        }
    };
    let digest = digest(&result.image);
    let replayed_equal = replay.map(|replay| replay.digest.as_deref() == Some(&digest));
    let applied = |number: u32| steps.steps.iter().any(|step| step.drawn.number == number);
    let ops = recipe.pipeline.ops();
    let explained = Explained {
        key: recipe.samples().key(args.sample),
        label,
        split: recipe.samples().name().to_owned(),
        sample: args.sample,
        epoch: args.epoch,
        position: place.key.position,
        has_batches,
        step: place.step,
        row: place.row,
        seed: recipe.seed,
        fingerprint: has_batches.then(|| recipe.fingerprint.clone()),
        size,
        skipped: ops
            .iter()
            .filter(|(number, _)| !applied(*number))
            .map(|&(number, op)| Skipped { number, op })
            .collect(),
        then: then(recipe),
        deferred: deferred(recipe),
        steps: steps.steps,
        digest,
        replayed_equal,
    };
    write(&args.out, &explained, &steps.pictures)?;
    report(args, &explained)
}

fn read_replay(path: &Path) -> Result<Replay, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    serde_json::from_str(&text).map_err(|error| Failure::usage(format!("{}: no record: {error}", path.display())))
}

/// Where the sample stands in the epoch.
struct Place {
    key: Key,
    step: Option<u64>,
    row: Option<u64>,
}

impl Place {
    fn find(recipe: &Recipe, args: &Args, has_batches: bool) -> Result<Place, Failure> {
        let samples = recipe.samples();
        if args.sample >= samples.len() {
            let (name, len) = (samples.name(), samples.len());
            return Err(Failure::usage(format!("--sample is {}, {name} has {len} samples", args.sample)));
        }
        let index = recipe.members.index_of(args.sample);
        let index =
            index.ok_or_else(|| Failure::usage(format!("sample {} is not in {}", args.sample, recipe.spec.split)))?;
        let position = recipe.plan.epoch(args.epoch).position(index);
        let global = u64::from(recipe.plan.global_batch());
        let step = Some(position / global).filter(|step| has_batches && *step < recipe.plan.steps_per_epoch());
        let key = Key { seed: recipe.seed, epoch: args.epoch, position, view: 0, op: 0, purpose: Purpose::Op };
        Ok(Place { key, step, row: step.map(|_| position % global) })
    }
}

/// The sample as the workers see it.
fn decoded(recipe: &Recipe, args: &Args) -> Result<Image<'static>, Failure> {
    let samples = recipe.samples();
    let bytes = samples.encoded(args.sample);
    let limits = Limits { max_pixels: args.store.options().max_pixels, ..Limits::default() };
    let decoded = Decoder::new(limits).decode(bytes);
    let decoded = decoded.map_err(|error| Failure::new(format!("{}: {error}", samples.key(args.sample))))?;
    let orientation = if recipe.exif_orientation { decode::orientation(bytes) } else { 1 };
    let (size, pixels) = match orientation {
        0 | 1 => (decoded.size, decoded.pixels),
        turned => decode::orient(decoded.size, &decoded.pixels, turned),
    };
    Ok(Image::from_u8(size, 3, Cow::Owned(pixels)))
}

/// What was drawn, and a picture after each op; the first picture is the original.
#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    pictures: Vec<Picture>,
}

impl Steps {
    fn note(&mut self, drawn: Recorded, sample: &Sample<'_>) {
        let size = sample.image.size();
        let caption = vec![format!("{} {}", drawn.op, size), short(&drawn.params)];
        self.pictures.push(picture(&sample.image, caption));
        let picture = format!("{:02}-{}.png", self.steps.len() + 1, drawn.op);
        self.steps.push(Step { drawn, size, picture });
    }
}

fn picture(image: &Image<'_>, caption: Vec<String>) -> Picture {
    Picture { size: image.size(), pixels: rgb(image, likely_depth(image)), caption }
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

/// Names of the ops at the end that [`crate::augment::Pipeline::run`] leaves undone.
fn deferred(recipe: &Recipe) -> Vec<&'static str> {
    let ops = recipe.spec.pipeline.as_ref().map_or(&[][..], |pipeline| &pipeline.ops);
    let tail = ops.iter().rev().filter_map(|op| op.op.as_ref()).map_while(|op| match op {
        v1::op::Op::ToFloat(_) => Some("to_float"),
        v1::op::Op::Normalize(_) => Some("normalize"),
        _ => None,
    });
    let mut names: Vec<&str> = if recipe.tail().is_some() { tail.collect() } else { Vec::new() };
    names.reverse();
    names
}

/// What becomes of the row after its ops and before those that are deferred.
fn then(recipe: &Recipe) -> Vec<&'static str> {
    let views = recipe.spec.views.is_some().then_some("its views are made");
    let mixing = recipe.mixing.is_some().then_some("it may be mixed with other rows");
    views.into_iter().chain(mixing).collect()
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

fn write(folder: &Path, explained: &Explained, pictures: &[Picture]) -> Result<(), Failure> {
    let at = |error: std::io::Error| Failure::new(format!("can't write to {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(at)?;
    let names = explained.steps.iter().map(|step| step.picture.as_str());
    for (name, picture) in std::iter::once("00-original.png").chain(names).zip(pictures) {
        sheet::write_png(&folder.join(name), picture.size, &picture.pixels)?;
    }
    let tiles: Vec<Tile<'_>> = pictures.iter().map(Picture::tile).collect::<Result<_, _>>()?;
    let (size, picture) = sheet::grid(&tiles, COLUMNS, TILE)?;
    sheet::write_png(&folder.join("sheet.png"), size, &picture)?;
    let record = serde_json::to_string_pretty(explained).map_err(Failure::new)?;
    std::fs::write(folder.join("record.json"), record + "\n").map_err(at)
}

fn report(args: &Args, explained: &Explained) -> Result<(), Failure> {
    if args.json {
        print_json(explained)?;
    } else {
        let Explained { key, sample, epoch, position, size, .. } = explained;
        say!("sample {sample}: {key}, {size}");
        match (explained.step, explained.row) {
            (Some(step), Some(row)) => say!("epoch {epoch}, step {step}, row {row}, position {position}"),
            _ if !explained.has_batches => {
                say!(
                    "epoch {epoch}, position {position}; --batch-size tells step and row too, the default makes no batch of this"
                );
            }
            _ => say!("epoch {epoch} drops it: position {position} is in the last, incomplete batch"),
        }
        for Step { drawn, size, picture } in &explained.steps {
            say!("  {:3}  {:24} {:10} {}  {}", drawn.number, drawn.op, size.to_string(), picture, drawn.params);
        }
        for Skipped { number, op } in &explained.skipped {
            say!("  {number:3}  {op:24} not applied");
        }
        for what in &explained.then {
            say!("       then {what}, which is not shown");
        }
        if !explained.deferred.is_empty() {
            say!("       {} are applied as the batch is written", explained.deferred.join(", "));
        }
        say!("{}", args.out.join("sheet.png").display());
        match explained.replayed_equal {
            Some(true) => say!("replayed to the pixels that were recorded"),
            Some(false) => say!("replayed to OTHER pixels than were recorded"),
            None => {}
        }
    }
    match explained.replayed_equal {
        Some(false) => Err(Failure { message: String::new(), code: 1 }),
        _ => Ok(()),
    }
}

/// Pictures beside each other on the sheet.
const COLUMNS: usize = 5;
/// Side of one, in pixels.
const TILE: u32 = 224;
