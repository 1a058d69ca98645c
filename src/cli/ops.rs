use feedline_proto::describe::{Count, Default, Described, Field, Value};
use serde::Serialize;

use super::{Failure, print_json};
use crate::augment::Targets;
use crate::augment::catalogue::{self, Cost, Kind};

/// Lists the ops, groups and mixings that a spec can name, or shows one in full. They are read from the contract and from what
/// each op's file says of it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Show this one in full.
    name: Option<String>,
    /// Print an array of objects, in full.
    #[arg(long)]
    json: bool,
}

/// An op, a group or a mixing, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    name: &'a str,
    kind: Kind,
    /// Of ops alone.
    family: Option<&'static str>,
    summary: &'a str,
    about: &'a str,
    parameters: Vec<Parameter<'a>>,
    /// What it may change; none for groups, which change what their ops do.
    targets: Option<Vec<&'static str>>,
    /// Which function it equals, within what tolerance.
    reference: Option<&'static str>,
    version: Option<u32>,
    example: String,
    cost: Option<Cost>,
}

#[derive(Debug, Serialize)]
struct Parameter<'a> {
    name: &'a str,
    r#type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<Choice<'a>>>,
    range: Option<Range>,
    required: bool,
    default: Option<serde_json::Value>,
    meaning: &'a str,
}

#[derive(Debug, Serialize)]
struct Choice<'a> {
    name: &'a str,
    meaning: &'a str,
}

#[derive(Debug, Serialize)]
struct Range {
    min: Option<f64>,
    max: Option<f64>,
    /// Whether `min` itself is not allowed.
    above_min: bool,
    /// Exact length of a list.
    items: Option<u32>,
    max_items: Option<u32>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let all = catalogue::all();
    let wanted: Vec<Shown<'_>> = match &args.name {
        None => all.iter().map(|(kind, described)| shown(*kind, described)).collect(),
        Some(name) => {
            let found = all.iter().find(|(_, described)| described.name == *name);
            let (kind, described) = found.ok_or_else(|| unknown(name))?;
            vec![shown(*kind, described)]
        }
    };
    match (args.json, &args.name) {
        (true, _) => print_json(&wanted),
        (false, Some(_)) => wanted.iter().try_for_each(print),
        (false, None) => list(&wanted),
    }
}

fn shown(kind: Kind, described: &Described) -> Shown<'_> {
    let name = described.name.as_str();
    let entry = catalogue::entry(name);
    let targets = match (kind, &entry) {
        (Kind::Mixing, _) => Some(match name {
            "copy_paste" => vec!["image", "boxes", "mask"],
            "cutmix" | "mosaic" => vec!["image", "label", "boxes", "mask", "keypoints"],
            _ => vec!["image", "label", "boxes", "keypoints"],
        }),
        (_, Some(entry)) => Some(match entry.targets {
            Targets::Image => vec!["image"],
            Targets::All => vec!["image", "boxes", "mask", "keypoints"],
        }),
        (_, None) => None,
    };
    Shown {
        name,
        kind,
        family: entry.map(|entry| entry.family),
        summary: &described.summary,
        about: &described.about,
        parameters: described.fields.iter().map(parameter).collect(),
        targets,
        reference: entry.map(|entry| entry.equals),
        version: entry.map(|entry| entry.version),
        example: catalogue::example(name).unwrap_or_default(),
        cost: catalogue::cost(name),
    }
}

fn parameter(field: &Field) -> Parameter<'_> {
    let choices = match &field.value {
        Value::Choice(choices) => Some(choices.values.iter().map(|(name, meaning)| Choice { name, meaning }).collect()),
        _ => None,
    };
    let bounds = field.bounds;
    let length = |length: u32| (length > 0).then_some(length);
    let range = Range {
        min: bounds.min,
        max: bounds.max,
        above_min: bounds.above_min,
        items: if field.count == Count::Range { Some(2) } else { length(bounds.items) },
        max_items: length(bounds.max_items),
    };
    Parameter {
        name: &field.name,
        r#type: field.type_words(str::to_owned),
        choices,
        range: (!bounds.words().is_empty()).then_some(range),
        required: field.default == Default::Required,
        default: match &field.default {
            // Names of choices and text have no quotes.
            Default::Value(text) => Some(serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())),
            Default::Required | Default::None => None,
        },
        meaning: &field.meaning,
    }
}

/// A line for each.
fn list(all: &[Shown<'_>]) -> Result<(), Failure> {
    let width = all.iter().map(|op| op.name.len()).max().unwrap_or(0);
    for op in all {
        let kin = match op.kind {
            Kind::Op => op.family.unwrap_or_default(),
            Kind::Group => "group",
            Kind::Mixing => "mixing",
        };
        say!("{:width$}  {kin:8}  {:12}  {}", op.name, changes(op), op.summary);
    }
    Ok(())
}

/// What it changes, in a word.
fn changes(op: &Shown<'_>) -> &'static str {
    match op.targets.as_ref().map(Vec::len) {
        None => "-",
        Some(1) => "image",
        Some(_) => "all",
    }
}

fn print(op: &Shown<'_>) -> Result<(), Failure> {
    let kind = match (op.kind, op.family, op.version) {
        (Kind::Op, Some(family), Some(version)) => format!("an op of {family}, version {version}"),
        (Kind::Mixing, ..) => "a mixing: it stands in a spec beside the pipeline".to_owned(),
        _ => "a group: it stands in a pipeline where an op may".to_owned(),
    };
    say!("{}: {kind}\n\n{}", op.name, op.about);
    if !op.parameters.is_empty() {
        say!("\nParameters");
    }
    for parameter in &op.parameters {
        print_parameter(parameter, op.name)?;
    }
    match &op.targets {
        Some(targets) => say!("\nChanges\n  {}", targets.join(", ")),
        None => say!("\nChanges\n  what its ops change"),
    }
    if let Some(reference) = op.reference {
        say!("\nReference\n{}", indented(reference));
    }
    say!("\nExample\n{}", indented(&op.example));
    if let Some(cost) = &op.cost {
        say!("\nCost of the example\n{}", indented(&cost_words(cost)));
    }
    Ok(())
}

fn print_parameter(parameter: &Parameter<'_>, op: &str) -> Result<(), Failure> {
    let field = catalogue::all().iter().find(|(_, described)| described.name == op);
    let field = field.and_then(|(_, described)| described.fields.iter().find(|field| field.name == parameter.name));
    let Some(field) = field else { return Ok(()) };
    let mut head = format!("  {}: {}", field.name, parameter.r#type);
    let bounds = field.bounds.words();
    if !bounds.is_empty() {
        head += &format!(", {bounds}");
    }
    match &field.default {
        Default::Required => head += "; required",
        Default::Value(value) => head += &format!("; default {value}"),
        Default::None => {}
    }
    say!("{head}\n      {}", field.meaning);
    for choice in parameter.choices.iter().flatten() {
        say!("      {}: {}", choice.name, choice.meaning);
    }
    Ok(())
}

fn cost_words(cost: &Cost) -> String {
    let mut words = format!(
        "{:.1} microseconds per 224x224 RGB image of 8 bits on one thread ({})",
        cost.microseconds, cost.machine
    );
    if let (Some(reference), Some(us)) = (&cost.reference, cost.reference_microseconds) {
        words += &format!("\n{reference} in the same run: {us:.1}");
    }
    words
}

fn indented(text: &str) -> String {
    text.trim_end()
        .lines()
        .map(|line| if line.is_empty() { String::new() } else { format!("  {line}") })
        .collect::<Vec<_>>()
        .join("\n")
}

/// The names most like one that nothing has. Other libraries' spelling (`RandomHorizontalFlip`) counts as ours.
fn unknown(name: &str) -> Failure {
    let mut plain = String::new();
    for letter in name.chars().take(MOST_LETTERS) {
        if letter.is_uppercase() && !plain.is_empty() && !plain.ends_with('_') {
            plain.push('_');
        }
        plain.extend(letter.to_lowercase());
    }
    let likeness = |other: &str| {
        let inside = plain.contains(other) || (plain.len() > 2 && other.contains(&plain));
        strsim::jaro_winkler(&plain, other).max(if inside { 0.9 } else { 0.0 })
    };
    let mut near: Vec<(f64, &str)> =
        catalogue::all().iter().map(|(_, op)| (likeness(&op.name), op.name.as_str())).collect();
    near.retain(|(likeness, _)| *likeness > 0.75);
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let near: Vec<&str> = near.into_iter().take(4).map(|(_, name)| name).collect();
    let advice = match near[..] {
        [] => "`feedline ops` lists all".to_owned(),
        _ => format!("near it: {}; `feedline ops` lists all", near.join(", ")),
    };
    Failure::usage(format!("nothing is called {name:?}; {advice}"))
}

/// Letters of a name that are looked at.
const MOST_LETTERS: usize = 64;
