//! `docs/ops.md`, written from the contract (comments and rules of every field) and from what each op's file says it equals.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use feedline::augment::catalogue::{self, Entry};
use feedline::augment::preset::{self, PRESETS};
use feedline_proto::{rule, v1};
use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

/// The whole page.
pub(crate) fn page() -> String {
    let op = message("Op");
    let mut out = String::from(HEAD);
    presets(&mut out);
    out.push_str("\n## All ops\n\n| op | what it does |\n|---|---|\n");
    let ops: Vec<FieldDescriptor> = op.fields().collect();
    for field in &ops {
        let _ = writeln!(
            out,
            "| [{0}](#{0}) | {1} |",
            field.name(),
            comment(field.parent_message().parent_file(), field.path())
        );
    }
    for field in &ops {
        section(&mut out, field);
    }
    out.push_str(MIXING);
    for (name, message_name) in
        [("mixing", "Mixing"), ("cutmix", "CutMix"), ("mixup", "MixUp"), ("cutmix_or_mixup", "CutMixOrMixUp")]
    {
        message_section(&mut out, name, &message(message_name));
    }
    out.push_str(
        "\n## Choices\n\nValues of the fields whose type is one of these, as TOML, JSON and this page spell them.\n",
    );
    for name in [
        "Filter",
        "Output",
        "Centre",
        "Border",
        "Position",
        "WarpMethod",
        "BoxHull",
        "FieldNoise",
        "Lens",
        "ContrastMethod",
        "SaturationMethod",
        "HueMethod",
        "GrayMethod",
        "EqualizeMethod",
        "AutoContrastMethod",
        "GammaMethod",
        "DrawPer",
    ] {
        choices(&mut out, name);
    }
    out
}

fn presets(out: &mut String) {
    for (name, what) in PRESETS {
        let ops = preset::ops(name).unwrap_or_default();
        let _ = write!(out, "\n`{name}`: {what}.\n");
        if !ops.is_empty() {
            let lines: String =
                ops.iter().map(|op| format!("  {},\n", inline(&serde_json::to_value(op).expect("an op")))).collect();
            let _ = write!(out, "\n```toml\nops = [\n{lines}]\n```\n");
        }
    }
}

fn section(out: &mut String, field: &FieldDescriptor) {
    let kind = field.kind();
    message_section(out, field.name(), kind.as_message().expect("every op is a message"));
    if let Some(Entry { equals, version, .. }) = catalogue::entry(field.name()) {
        let _ = write!(out, "\n{equals}\n\nVersion {version}.\n");
    }
}

fn message_section(out: &mut String, name: &str, message: &MessageDescriptor) {
    let _ = write!(out, "\n### {name}\n\n{}\n", comment(message.parent_file(), message.path()));
    out.push_str("\n| field | type | range | default | meaning |\n|---|---|---|---|---|\n");
    for field in message.fields() {
        let rule = rule::rule_of(&field);
        if rule.reserved {
            continue;
        }
        let default = default(&field, &rule);
        let mut meaning = comment(message.parent_file(), field.path());
        if default != NONE
            && let Some(at) = meaning.rfind(" Default ")
        {
            // The column says it.
            meaning.truncate(at);
        }
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {default} | {meaning} |",
            field.name(),
            kind(&field, &rule),
            range(&field, &rule)
        );
    }
}

fn kind(field: &FieldDescriptor, rule: &v1::Rule) -> String {
    let one = match field.kind() {
        Kind::Double | Kind::Float => "number".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::String => "text".to_owned(),
        Kind::Enum(kind) => format!("[{0}](#{0})", snake(kind.name())),
        Kind::Message(message) if message.name() == "Op" => "op".to_owned(),
        Kind::Message(_) => format!("[{0}](#{0})", field.name()),
        _ => "whole number".to_owned(),
    };
    match (rule.range, field.is_list()) {
        (true, _) => "range `[low, high]`".to_owned(),
        (false, true) => format!("list of {one}s"),
        (false, false) => one,
    }
}

fn range(field: &FieldDescriptor, rule: &v1::Rule) -> String {
    let whole = matches!(field.kind(), Kind::Uint32 | Kind::Uint64);
    let least = rule.min.or(whole.then_some(if rule.required { 1.0 } else { 0.0 }));
    let mut text = match (least, rule.max) {
        (Some(min), Some(max)) if rule.above_min => format!("above {min}, to {max}"),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) if rule.above_min => format!("above {min}"),
        (Some(min), None) => format!("from {min}"),
        (None, Some(max)) => format!("to {max}"),
        (None, None) => String::new(),
    };
    let separator = if text.is_empty() { "" } else { "; " };
    match (rule.items, rule.max_items) {
        (0, 0) => {}
        (0, most) => text += &format!("{separator}at most {most}"),
        (items, _) => text += &format!("{separator}{items} of them"),
    }
    text
}

fn default(field: &FieldDescriptor, rule: &v1::Rule) -> String {
    if rule.required {
        return "required".to_owned();
    }
    let numbers: Vec<String> = rule.default.iter().map(f64::to_string).collect();
    match (field.kind(), &rule.default[..]) {
        (Kind::Bool, default) => (default == [1.0]).to_string(),
        (_, []) => NONE.to_owned(),
        (Kind::Enum(kind), [number]) => {
            let value = kind.get_value(*number as i32).expect("a default that exists");
            short(&kind, value.name())
        }
        _ if field.is_list() => format!("[{}]", numbers.join(", ")),
        _ => numbers.concat(),
    }
}

fn choices(out: &mut String, name: &str) {
    let kind = rule::descriptors().get_enum_by_name(&format!("feedline.v1.{name}")).expect("an enum of the contract");
    let _ = write!(out, "\n### {}\n\n{}\n\n", snake(name), comment(kind.parent_file(), kind.path()));
    out.push_str("| value | meaning |\n|---|---|\n");
    for value in kind.values().filter(|value| value.number() != 0) {
        let _ = writeln!(out, "| `{}` | {} |", short(&kind, value.name()), comment(kind.parent_file(), value.path()));
    }
}

/// The comment above what is at `path` of a file of the contract, as one line.
fn comment(file: FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref().expect("compiled with comments");
    let location = info.location.iter().find(|location| location.path == path).expect("everything has a place");
    let comment = location.leading_comments().lines().map(str::trim).collect::<Vec<_>>().join(" ");
    assert!(!comment.trim().is_empty(), "{}: {path:?} has no comment", file.name());
    comment.trim().replace('|', "\\|")
}

fn message(name: &str) -> MessageDescriptor {
    rule::descriptors().get_message_by_name(&format!("feedline.v1.{name}")).expect("a message of the contract")
}

/// `FILTER_BILINEAR` of `Filter` is `bilinear`.
fn short(kind: &EnumDescriptor, value: &str) -> String {
    let prefix = format!("{}_", snake(kind.name()).to_uppercase());
    value.strip_prefix(&prefix).expect("values begin with the name of their enum").to_lowercase()
}

/// `ContrastMethod` is `contrast_method`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// JSON as inline TOML.
fn inline(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        serde_json::Value::Object(fields) => {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        serde_json::Value::Array(entries) => format!("[{}]", entries.iter().map(inline).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A path of the repository.
pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

const NONE: &str = "none";

const HEAD: &str = "\
<!-- Written by tests/docs.rs from proto/feedline/v1/*.proto and src/augment; after a change of those run
     FEEDLINE_WRITE_DOCS=1 cargo test --test docs -->
# Ops

A pipeline is a list of ops, applied to every sample in order. Each op has the name of its field in
[`pipeline.proto`](../proto/feedline/v1/pipeline.proto); its parameters are the fields of its message. In a TOML file:

```toml
ops = [
  { resize = { shortest_edge = 256 } },
  { random_crop = { height = 224, width = 224 } },
  { horizontal_flip = {} },
  { one_of = { p = 0.5, ops = [
    { grayscale = {} },
    { hue = { delta = [-0.1, 0.1] } },
  ] } },
  { to_float = {} },
  { normalize = {} },
]
```

- Sizes are in pixels, height before width in every list.
- A range `[low, high]` is drawn from uniformly, once per sample; two equal numbers fix the value.
- `p` is the chance, drawn per sample, that the op is applied at all.
- Images are 8 bits (0 to 255, RGB) until an op makes floats of them: `to_float` divides by 255, `resize` with `output = \"float\"` keeps
  the scale. After `normalize` a value of full brightness is not known any more, and colour ops are refused.
- All images of a batch must have one size at the end: end a pipeline in a resize or a crop, or use global batches of one row.
- A crop is checked against the smallest image of the split before anything runs.
- At most 256 ops, those inside groups included, and at most 8 levels of groups.
- What an op draws depends on seed, epoch, position of the row and the op's number in the pipeline alone.

Every op says which function it equals and how closely: \"exact\" is to the bit; other tolerances are levels of 8 bits, or for floats as
stated. The golden files under `tests/data/golden` hold what the libraries themselves made, and `tests/golden.rs` compares. The
version of every op that a spec uses is part of the spec's fingerprint.

Colour ops on 8 bits are defined by their library's 8-bit result, so `brightness` then `contrast` rounds twice, as it does there.

## Presets

Names that stand for ops, on every server. A server's configuration adds its own names.
";

const MIXING: &str = "
## Mixing

Not ops: they work on pairs of rows after the pipeline, pixels and labels together, and stand in the spec beside it. With mixing, `label`
is FP32 `[rows, classes]` instead of INT64 `[rows]`.

```toml
[mixing]
cutmix = { alpha = 1.0, p = 0.5 }
```
";
