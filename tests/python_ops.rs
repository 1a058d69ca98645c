//! Promise: Python's classes of ops are what the contract says: one class per message, one argument per field, with its type,
//! range, default and comment. `FEEDLINE_WRITE_DOCS=1 cargo test --all-features --test python_ops` writes them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use feedline_proto::describe::{self, Count, Default, Described, Field, Value};

const FILE: &str = "clients/python/python/feedline/ops.py";

#[test]
fn the_classes_of_python_are_what_the_contract_says() {
    let (path, module) = (Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE), module());
    if std::env::var_os("FEEDLINE_WRITE_DOCS").is_some() {
        fs::write(&path, &module).expect("writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let different = module.lines().zip(committed.lines()).find(|(new, old)| new != old);
    assert!(
        committed == module,
        "{FILE} is not what the contract says now: run this test with FEEDLINE_WRITE_DOCS=1 and commit the file; first \
         difference: {different:?}"
    );
}

fn module() -> String {
    let mut classes = String::new();
    let mut names = Vec::new();
    let mut add = |base: &str, described: &Described| {
        names.push(class_name(&described.name));
        class(&mut classes, base, described);
    };
    for op in describe::ops() {
        add("Op", &op);
    }
    for mixing in describe::mixings() {
        add("MixingKind", &mixing);
    }
    for message in ["Views", "ViewGroup", "BoxRules", "KeypointRules", "FlipPair"] {
        add("Message", &describe::message(message, &snake(message)).expect("a message of the contract"));
    }
    let mixing = describe::message("Mixing", "mixing").expect("a message of the contract");
    names.push("Mixing".to_owned());
    let options = Described {
        fields: mixing.fields.iter().filter(|field| !matches!(field.value, Value::Message(_))).cloned().collect(),
        ..mixing
    };
    class(&mut classes, "Mixing", &options);
    names.sort();
    let names: String = names.iter().map(|name| format!("    \"{name}\",\n")).collect();
    format!("{HEAD}\n__all__ = [\n    \"Message\",\n    \"MixingKind\",\n    \"Op\",\n{names}]\n{BASES}{classes}")
}

/// A class with a keyword of each field.
fn class(out: &mut String, base: &str, described: &Described) {
    let name = class_name(&described.name);
    let is_mixing = base == "Mixing";
    let base = if is_mixing { "Message" } else { base };
    let (required, optional): (Vec<_>, Vec<_>) =
        described.fields.iter().partition(|field| field.default == Default::Required);
    let _ = write!(out, "\n\nclass {name}({base}):\n");
    let mut text = described.about.clone();
    if described.summary != described.about && !described.summary.is_empty() {
        text = format!("{} {}", described.summary, described.about);
    }
    let mut lines = wrapped(&text, 4);
    for field in &described.fields {
        lines.push(String::new());
        lines.extend(wrapped(&documented(field), 4));
    }
    let _ = writeln!(out, "    \"\"\"{}\n    \"\"\"\n", lines.join("\n").trim_start());
    let _ = writeln!(out, "    _name = \"{}\"\n", described.name);
    // Two sides that must be given are a square if one is.
    let square = matches!(&required[..], [height, width] if height.name == "height" && width.name == "width");
    let mut arguments = vec!["self".to_owned()];
    if is_mixing {
        arguments.push("kind: MixingKind".to_owned());
    }
    for field in &required {
        let default = if square && field.name == "width" { " | None = None" } else { "" };
        arguments.push(format!("{}: {}{default}", field.name, python_type(field)));
    }
    let keyword = |field: &&Field| format!("{}: {} | None = None", field.name, python_type(field));
    // Height and width need no names, whether they must be given or not.
    let sides = if required.is_empty() {
        optional.iter().take_while(|f| ["height", "width"].contains(&&*f.name)).count()
    } else {
        0
    };
    arguments.extend(optional[..sides].iter().map(keyword));
    if optional.len() > sides {
        arguments.push("*".to_owned());
    }
    arguments.extend(optional[sides..].iter().map(keyword));
    let _ = writeln!(out, "    def __init__(");
    for argument in arguments {
        let _ = writeln!(out, "        {argument},");
    }
    let _ = write!(out, "    ) -> None:\n        super().__init__(");
    let mut given: Vec<_> = described.fields.iter().map(|field| format!("{0}={0}", field.name)).collect();
    if square {
        given[1] = "width=height if width is None else width".into();
    }
    if is_mixing {
        given.push("**{kind._name: kind}".into());
    }
    let _ = writeln!(out, "{})", given.join(", "));
}

fn documented(field: &Field) -> String {
    let mut text = format!("`{}`: {}", field.name, field.meaning);
    let bounds = field.bounds.words();
    if !bounds.is_empty() {
        let _ = write!(text, " {}.", capital(&bounds));
    }
    if let Value::Choice(choices) = &field.value {
        let values: Vec<_> = choices.values.iter().map(|(value, _)| format!("`{value}`")).collect();
        let _ = write!(text, " One of {}.", values.join(", "));
    }
    match &field.default {
        Default::Value(value) => {
            let _ = write!(text, " Default {value}.");
        }
        Default::Required => text.push_str(" Required."),
        Default::None => {}
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn python_type(field: &Field) -> String {
    let one = match &field.value {
        Value::Number => "float".to_owned(),
        Value::Integer => "int".to_owned(),
        Value::Bool => "bool".to_owned(),
        Value::Text => "str".to_owned(),
        Value::Choice(choices) => {
            let values: Vec<_> = choices.values.iter().map(|(value, _)| format!("\"{value}\"")).collect();
            format!("Literal[{}]", values.join(", "))
        }
        Value::Op => "Op".to_owned(),
        Value::Message(_) => "Message".to_owned(),
    };
    if field.count == Count::One { one } else { format!("abc.Sequence[{one}]") }
}

/// `random_resized_crop` is `RandomResizedCrop`; the contract's own spelling where it has capitals within.
fn class_name(name: &str) -> String {
    match name {
        "cutmix" => "CutMix".into(),
        "mixup" => "MixUp".into(),
        "cutmix_or_mixup" => "CutMixOrMixUp".into(),
        _ => name.split('_').map(capital).collect(),
    }
}

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

/// Lines of at most 120 columns, each indented.
fn wrapped(text: &str, indent: usize) -> Vec<String> {
    let mut lines = vec![" ".repeat(indent)];
    for word in text.replace('\\', "\\\\").split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].len() + word.len() >= 118 {
            lines.push(" ".repeat(indent) + word);
        } else {
            if lines[last].len() > indent {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

const HEAD: &str = r#""""Pipelines as Python objects: a class for every op, with its parameters, their ranges and defaults.

    from feedline import ops

    pipeline = [ops.RandomResizedCrop(224), ops.HorizontalFlip(), ops.ToFloat(), ops.Normalize()]
    mixing = ops.Mixing(ops.CutMix(alpha=1.0), label_smoothing=0.1)

Sizes are in pixels, ranges are `[low, high]`, drawn uniformly per sample. What is not given has the contract's default. Values are
checked by the server (or the engine in this process), all of them at once, when a loader opens: the error names op, field and range.

Written from the contract; `tests/python_ops.rs` says how.
"""

from __future__ import annotations

from collections import abc
from typing import Any, ClassVar, Literal
"#;

const BASES: &str = r#"

class Message:
    """Parameters by name. Equal ones are the same; none of them changes."""

    _name: ClassVar[str] = ""

    def __init__(self, **fields: Any) -> None:
        self._fields = {name: value for name, value in fields.items() if value is not None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._fields.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and type(self) is type(other) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(repr(self))


class Op(Message):
    """A step of a pipeline, or a group of them."""


class MixingKind(Message):
    """A way to mix the rows of a batch."""


def plain(value: Any) -> Any:
    """A message as the contract's JSON has it: an op, or a kind of mixing, inside of an object that names it."""
    if isinstance(value, Message):
        if isinstance(value, MixingKind):
            fields = {name: inner(part) for name, part in value._fields.items()}
        else:
            fields = {name: plain(part) if isinstance(part, (Op, list, tuple)) else inner(part) for name, part in value._fields.items()}
        return {value._name: fields} if isinstance(value, (Op, MixingKind)) else fields
    if isinstance(value, abc.Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, abc.Iterable) and not isinstance(value, (str, bytes)):
        return [plain(part) for part in value]
    return value.item() if hasattr(value, "item") else value


def inner(value: Any) -> Any:
    """A message in a field, whose name says what it is already."""
    if isinstance(value, Message):
        return {name: plain(part) for name, part in value._fields.items()}
    return plain(value)
"#;
