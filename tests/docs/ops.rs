//! `docs/ops.md`, written from the contract (comments and rules of every field) and from what each op's file says it equals.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use feedline::augment::Targets;
use feedline::augment::catalogue::{self, Entry, Kind};
use feedline::augment::preset::{self, PRESETS};
use feedline_proto::describe::{self, Choices, Described, Field, Value};

/// The whole page.
pub(crate) fn page() -> String {
    let mut out = String::from(HEAD);
    presets(&mut out);
    out.push_str("\n## All ops\n\n| op | changes | what it does |\n|---|---|---|\n");
    let ops = || catalogue::all().iter().filter(|(kind, _)| *kind != Kind::Mixing).map(|(_, op)| op);
    for op in ops() {
        let changes = match catalogue::entry(&op.name).map(|entry| entry.targets) {
            Some(Targets::Image) => "image",
            Some(Targets::All) => "image and annotations",
            None => "what its ops change",
        };
        let _ = writeln!(out, "| [{0}](#{0}) | {changes} | {1} |", op.name, cell(&op.summary));
    }
    for op in ops() {
        section(&mut out, op);
    }
    out.push_str(MIXING);
    let mixing = describe::message("Mixing", "mixing").expect("a message of the contract");
    let mixings: Vec<&Described> = std::iter::once(&mixing)
        .chain(catalogue::all().iter().filter(|(kind, _)| *kind == Kind::Mixing).map(|(_, mixing)| mixing))
        .collect();
    for mixing in &mixings {
        message(&mut out, mixing);
    }
    out.push_str(
        "\n## Choices\n\nValues of the fields whose type is one of these, as TOML, JSON and this page spell them.\n",
    );
    let mut seen = BTreeSet::new();
    for field in ops().chain(mixings).flat_map(|described| &described.fields) {
        if let Value::Choice(of) = &field.value
            && seen.insert(&of.name)
        {
            choices(&mut out, of);
        }
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

fn section(out: &mut String, op: &Described) {
    message(out, op);
    let example = catalogue::example(&op.name).expect("everything in the catalogue has an example");
    if let Some(Entry { equals, version, .. }) = catalogue::entry(&op.name) {
        let _ = write!(out, "\n{equals}\n\nVersion {version}. ");
        let _ = write!(out, "Its picture: an image of 224 x 224 before and after\n\n```toml\n{example}```\n\n");
        let _ = writeln!(out, "![{0}](ops/{0}.jpg)", op.name);
    } else {
        let _ = write!(out, "\n```toml\n{example}```\n");
    }
}

fn message(out: &mut String, described: &Described) {
    let _ = write!(out, "\n### {}\n\n{}\n", described.name, described.about);
    if described.fields.is_empty() {
        return;
    }
    out.push_str("\n| field | type | range | default | meaning |\n|---|---|---|---|---|\n");
    for field in &described.fields {
        let Field { name, bounds, default, meaning, .. } = field;
        let kind =
            field.type_words(|name| format!("[{name}](#{name})")).replace("range [low, high]", "range `[low, high]`");
        let _ = writeln!(out, "| `{name}` | {kind} | {} | {} | {} |", bounds.words(), default.words(), cell(meaning));
    }
}

fn choices(out: &mut String, choices: &Choices) {
    let _ = write!(out, "\n### {}\n\n{}\n\n", choices.name, choices.about);
    out.push_str("| value | meaning |\n|---|---|\n");
    for (value, meaning) in &choices.values {
        let _ = writeln!(out, "| `{value}` | {} |", cell(meaning));
    }
}

/// Text for the cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
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
version of every op that a spec uses is part of the spec's fingerprint. `feedline ops` shows all of this on the command line, and with
`--json` for programs.

Colour ops on 8 bits are defined by their library's 8-bit result, so `brightness` then `contrast` rounds twice, as it does there.

## Presets

Names that stand for ops, on every server. A server's configuration adds its own names.
";

const MIXING: &str = "
## Mixing

Not ops: they work on several rows after the pipeline, pixels and labels together, and stand in the spec beside it. With mixing, `label`
is FP32 `[rows, classes]` instead of INT64 `[rows]`, but for `copy_paste`, which leaves labels alone.

```toml
[mixing]
cutmix = { alpha = 1.0, p = 0.5 }
```
";
