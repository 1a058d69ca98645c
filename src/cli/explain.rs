use std::borrow::Cow;
use std::path::PathBuf;

use feedline_proto::v1;

use super::load::{ModelArgs, StoreArgs, list, load, named_path};
use super::spec::SpecArgs;
use super::{Failure, print_json};
use crate::decode::{self, Decoder, Limits};
use crate::engine::{Engine, Options, Recipe};
use crate::image::Image;
use crate::sample::Sample;
use crate::seed::{Key, Purpose};
use record::{Explained, Pictures, Ran, Replay, Skipped, Step, View};

mod record;

/// Shows what a pipeline does to one sample in one epoch: what each op drew, and the image after it, in every view if the spec has
/// views. What was drawn is written to a file, from which it can be replayed.
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
    #[command(flatten)]
    models: ModelArgs,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let replay = args.replay.as_deref().map(Replay::read).transpose()?;
    let models = args.models.folder_or(None)?;
    let datasets = load(list(&[named_path(&args.path)])?, &args.store.options())?;
    let engine = Engine::new(datasets, Default::default(), Options { threads: 1, models, ..Options::default() })?;
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

    let mut pictures = Pictures::of(&original, recipe.samples().key(args.sample));
    let label = recipe.samples().label(args.sample);
    let size = original.size();
    let recorded = replay.as_ref().map(Replay::steps);
    let (sample, ran) =
        Ran::new(&recipe.pipeline, Sample::new(original, label), place.key, recorded, ("", &mut pictures))?;
    let views = views(recipe, &sample, place.key, replay.as_ref(), &mut pictures)?;
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
        reduction: recipe.excerpt(args.sample, size, place.key).map_or(1, |excerpt| excerpt.reduction),
        then: recipe.mixing.is_some().then_some("it may be mixed with other rows").into_iter().collect(),
        deferred: deferred(recipe),
        replayed_equal: replay.map(|replay| replay.equals(&ran, &views)),
        ran,
        views,
    };
    pictures.write(&args.out)?;
    explained.write(&args.out)?;
    report(args, &explained)
}

/// The views that are made of what the spec's pipeline left.
fn views(
    recipe: &Recipe,
    sample: &Sample<'_>,
    key: Key,
    replay: Option<&Replay>,
    pictures: &mut Pictures,
) -> Result<Vec<View>, Failure> {
    let mut views = Vec::new();
    for group in recipe.groups.iter().filter(|group| !group.is_plain()) {
        let tensor = &group.tensor;
        for view in 0..group.views {
            // Every view of a group that is not plain has a pipeline, which may be empty.
            let Some((pipeline, number)) = group.view(view) else { continue };
            let recorded = replay.map(|replay| replay.steps_of(tensor, view)).transpose()?;
            let prefix = format!("{tensor}-{view}-");
            let key = Key { view: number, ..key };
            let (made, ran) = Ran::new(pipeline, sample.borrowed(), key, recorded, (&prefix, pictures))?;
            let size = made.image.size();
            let picture = ran.steps.last().map(|step| step.picture.clone()).unwrap_or_else(|| {
                let name = format!("{prefix}00-unchanged.png");
                pictures.add(name.clone(), &made.image, vec![format!("{prefix}unchanged {size}")]);
                name
            });
            views.push(View { tensor: tensor.clone(), view, size, picture, ran });
        }
    }
    Ok(views)
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
        let index = index.ok_or_else(|| {
            let of = if recipe.spec.subset.is_some() { "the chosen samples of " } else { "" };
            Failure::usage(format!("sample {} is not in {of}{}", args.sample, recipe.spec.split))
        })?;
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

/// Names of the ops at the end that [`crate::augment::Pipeline::run`] leaves undone: the last ones of the pipeline, and those at the
/// end of every group of views before them.
fn deferred(recipe: &Recipe) -> Vec<&'static str> {
    let common = recipe.spec.pipeline.as_ref().map_or(&[][..], |pipeline| &pipeline.ops);
    let group = recipe.spec.views.as_ref().and_then(|views| views.groups.first()).map_or(&[][..], |group| &group.ops);
    let named = |op: &v1::Op| match op.op {
        Some(v1::op::Op::ToFloat(_)) => Some("to_float"),
        Some(v1::op::Op::Normalize(_)) => Some("normalize"),
        _ => None,
    };
    let at_the_end = |ops: &[v1::Op]| ops.iter().rev().map_while(named).collect::<Vec<_>>();
    let mut names = if recipe.tail().is_some() { [at_the_end(common), at_the_end(group)].concat() } else { Vec::new() };
    names.reverse();
    names
}

fn report(args: &Args, explained: &Explained) -> Result<(), Failure> {
    if args.json {
        print_json(explained)?;
    } else {
        let Explained { key, sample, epoch, position, size, .. } = explained;
        say!("sample {sample}: {key}, {size}");
        if explained.reduction > 1 {
            let part = explained.reduction;
            say!(
                "a batch has it decoded at 1/{part} of that size, as decode.scaled says; here it is whole, and other pixels come of it"
            );
        }
        match (explained.step, explained.row) {
            (Some(step), Some(row)) => say!("epoch {epoch}, step {step}, row {row}, position {position}"),
            _ if !explained.has_batches => {
                say!(
                    "epoch {epoch}, position {position}; --batch-size tells step and row too, the default makes no batch of this"
                );
            }
            _ => say!("epoch {epoch} drops it: position {position} is in the last, incomplete batch"),
        }
        steps(&explained.ran)?;
        for View { tensor, view, size, picture, ran } in &explained.views {
            say!("view {view} of {tensor}, {size}, {picture}");
            steps(ran)?;
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

/// A line for each op, applied or not.
fn steps(ran: &Ran) -> Result<(), Failure> {
    for Step { drawn, size, picture } in &ran.steps {
        say!("  {:3}  {:24} {:10} {}  {}", drawn.number, drawn.op, size.to_string(), picture, drawn.params);
    }
    for Skipped { number, op } in &ran.skipped {
        say!("  {number:3}  {op:24} not applied");
    }
    Ok(())
}
