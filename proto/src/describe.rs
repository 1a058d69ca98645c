//! The contract as its readers see it: messages, fields and choices with their comments and rules, as plain values. The page of the
//! ops and the command that lists them are written from these.

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};

use crate::rule::{self, descriptors};
use crate::v1;

/// A message: an op, a group or a kind of mixing.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// What a pipeline calls it: the name of its field where there is one.
    pub name: String,
    /// What it is, in a line: the comment of that field.
    pub summary: String,
    /// The comment of the message.
    pub about: String,
    /// Its fields, in the order of the contract, without those that no server reads yet.
    pub fields: Vec<Field>,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What its value is, or each of its values.
    pub value: Value,
    /// How many values there are.
    pub count: Count,
    /// The numbers allowed.
    pub bounds: Bounds,
    /// What its absence means.
    pub default: Default,
    /// Its comment, without the default.
    pub meaning: String,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// Text.
    Text,
    /// One of some names.
    Choice(Choices),
    /// An op of the pipeline.
    Op,
    /// Another message, that of this name.
    Message(String),
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// Two numbers `[low, high]`.
    Range,
    /// A list.
    List,
}

/// Numbers that are allowed, and how many of them.
#[derive(Clone, Copy, Debug, std::default::Default, PartialEq)]
pub struct Bounds {
    /// Smallest.
    pub min: Option<f64>,
    /// Whether `min` itself is not allowed.
    pub above_min: bool,
    /// Largest.
    pub max: Option<f64>,
    /// Exact length of a list; 0: any.
    pub items: u32,
    /// Largest length of a list; 0: any.
    pub max_items: u32,
}

/// What the absence of a field means.
#[derive(Clone, Debug, PartialEq)]
pub enum Default {
    /// It must be there.
    Required,
    /// Nothing, or what its meaning says.
    None,
    /// This value, as TOML and JSON spell it; text and choices without quotes.
    Value(String),
}

/// The values of an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// Its name, in small letters: `contrast_method`.
    pub name: String,
    /// Its comment.
    pub about: String,
    /// Names as TOML and JSON spell them, each with its comment.
    pub values: Vec<(String, String)>,
}

/// All ops and groups, in the order of the contract.
pub fn ops() -> Vec<Described> {
    members("feedline.v1.Op", "op")
}

/// All kinds of mixing, in the order of the contract.
pub fn mixings() -> Vec<Described> {
    members("feedline.v1.Mixing", "kind")
}

/// The message of that name (`Mixing`), which pipelines call `name`; none if the contract has no such message.
pub fn message(message: &str, name: &str) -> Option<Described> {
    let message = descriptors().get_message_by_name(&format!("feedline.v1.{message}"))?;
    let about = comment(&message.parent_file(), message.path());
    Some(Described { name: name.to_owned(), summary: about.clone(), about, fields: fields(&message) })
}

impl Field {
    /// Its type in words: `range [low, high]`, `list of numbers`. `named` says how choices and messages are written.
    pub fn type_words(&self, named: impl Fn(&str) -> String) -> String {
        let one = match &self.value {
            Value::Number => "number".to_owned(),
            Value::Integer => "whole number".to_owned(),
            Value::Bool => "true or false".to_owned(),
            Value::Text => "text".to_owned(),
            Value::Choice(choices) => named(&choices.name),
            Value::Op => "op".to_owned(),
            Value::Message(name) => named(name),
        };
        match self.count {
            Count::One => one,
            Count::Range if self.value == Value::Integer => "range [low, high] of whole numbers".to_owned(),
            Count::Range => "range [low, high]".to_owned(),
            Count::List => format!("list of {one}s"),
        }
    }
}

impl Bounds {
    /// In words: `0 to 1`, `above 0, to 1; 3 of them`. Empty if everything is allowed.
    pub fn words(self) -> String {
        let mut text = match (self.min, self.max) {
            (Some(min), Some(max)) if self.above_min => format!("above {min}, to {max}"),
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (Some(min), None) if self.above_min => format!("above {min}"),
            (Some(min), None) => format!("from {min}"),
            (None, Some(max)) => format!("to {max}"),
            (None, None) => String::new(),
        };
        let separator = if text.is_empty() { "" } else { "; " };
        match (self.items, self.max_items) {
            (0, 0) => {}
            (0, most) => text += &format!("{separator}at most {most}"),
            (items, _) => text += &format!("{separator}{items} of them"),
        }
        text
    }
}

impl Default {
    /// In words.
    pub fn words(&self) -> &str {
        match self {
            Default::Required => "required",
            Default::None => "none",
            Default::Value(value) => value,
        }
    }
}

/// The messages that a oneof chooses from.
fn members(message: &str, oneof: &str) -> Vec<Described> {
    let message = descriptors().get_message_by_name(message);
    let fields = message.iter().flat_map(MessageDescriptor::fields);
    let chosen = fields.filter(|field| field.containing_oneof().is_some_and(|of| of.name() == oneof));
    chosen.filter_map(|field| member(&field)).collect()
}

fn member(field: &FieldDescriptor) -> Option<Described> {
    let kind = field.kind();
    let message = kind.as_message()?;
    Some(Described {
        name: field.name().to_owned(),
        summary: comment(&field.parent_message().parent_file(), field.path()),
        about: comment(&message.parent_file(), message.path()),
        fields: fields(message),
    })
}

fn fields(message: &MessageDescriptor) -> Vec<Field> {
    let described = |field: FieldDescriptor| {
        let rule = rule::rule_of(&field);
        (!rule.reserved).then(|| described(&field, &rule))
    };
    message.fields().filter_map(described).collect()
}

fn described(field: &FieldDescriptor, rule: &v1::Rule) -> Field {
    let default = default(field, rule);
    let mut meaning = comment(&field.parent_message().parent_file(), field.path());
    // The default has a place of its own.
    if default != Default::None
        && let Some(at) = meaning.rfind(" Default ")
    {
        meaning.truncate(at);
    }
    let whole = matches!(field.kind(), Kind::Uint32 | Kind::Uint64);
    let least = whole.then_some(if rule.required { 1.0 } else { 0.0 });
    Field {
        name: field.name().to_owned(),
        value: value(field),
        count: match (rule.range, field.is_list()) {
            (true, _) => Count::Range,
            (false, true) => Count::List,
            (false, false) => Count::One,
        },
        bounds: Bounds {
            min: rule.min.or(least),
            above_min: rule.above_min,
            max: rule.max,
            items: rule.items,
            max_items: rule.max_items,
        },
        default,
        meaning,
    }
}

fn value(field: &FieldDescriptor) -> Value {
    match field.kind() {
        Kind::Double | Kind::Float => Value::Number,
        Kind::Bool => Value::Bool,
        Kind::String | Kind::Bytes => Value::Text,
        Kind::Enum(kind) => Value::Choice(choices(&kind)),
        Kind::Message(message) if message.name() == "Op" => Value::Op,
        Kind::Message(_) => Value::Message(field.name().to_owned()),
        _ => Value::Integer,
    }
}

fn default(field: &FieldDescriptor, rule: &v1::Rule) -> Default {
    if rule.required {
        return Default::Required;
    }
    if !rule.default_text.is_empty() {
        return Default::Value(rule.default_text.clone());
    }
    let numbers: Vec<String> = rule.default.iter().map(f64::to_string).collect();
    match (field.kind(), &rule.default[..]) {
        (Kind::Bool, default) => Default::Value((default == [1.0]).to_string()),
        (_, []) => Default::None,
        (Kind::Enum(kind), [number]) => {
            let value = kind.get_value(*number as i32);
            value.map_or(Default::None, |value| Default::Value(short(&kind, value.name())))
        }
        _ if field.is_list() => Default::Value(format!("[{}]", numbers.join(", "))),
        _ => Default::Value(numbers.concat()),
    }
}

/// All but the value that stands for the default.
fn choices(kind: &EnumDescriptor) -> Choices {
    let values = kind.values().filter(|value| value.number() != 0);
    Choices {
        name: snake(kind.name()),
        about: comment(&kind.parent_file(), kind.path()),
        values: values.map(|value| (short(kind, value.name()), comment(&kind.parent_file(), value.path()))).collect(),
    }
}

/// The comment above what is at `path` of a file, as one line; a test makes sure that everything has one.
fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let location = info.and_then(|info| info.location.iter().find(|location| location.path == path));
    let lines = location.map(|location| location.leading_comments().lines().map(str::trim).collect::<Vec<_>>());
    lines.unwrap_or_default().join(" ").trim().to_owned()
}

/// `FILTER_BILINEAR` of `Filter` is `bilinear`.
fn short(kind: &EnumDescriptor, value: &str) -> String {
    let prefix = format!("{}_", snake(kind.name()).to_uppercase());
    value.strip_prefix(&prefix).unwrap_or(value).to_lowercase()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_described_has_a_comment() {
        let all = ops().into_iter().chain(mixings()).chain(message("Mixing", "mixing"));
        for Described { name, summary, about, fields } in all {
            assert!(!summary.is_empty() && !about.is_empty(), "{name}");
            for field in fields {
                assert!(!field.meaning.is_empty(), "{name}.{}", field.name);
                let Value::Choice(choices) = &field.value else { continue };
                assert!(!choices.about.is_empty() && choices.values.len() > 1, "{}", choices.name);
                assert!(choices.values.iter().all(|(_, meaning)| !meaning.is_empty()), "{}", choices.name);
            }
        }
    }

    #[test]
    fn a_field_is_described_by_its_rule() {
        let ops = ops();
        let of = |op: &str, name: &str| {
            let op = ops.iter().find(|described| described.name == op).expect("an op");
            op.fields.iter().find(|field| field.name == name).expect("a field").clone()
        };
        let described = |field: &Field| {
            let type_words = field.type_words(|name| format!("<{name}>"));
            (type_words, field.bounds.words(), field.default.words().to_owned())
        };
        let words = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(described(&of("horizontal_flip", "p")), words("number", "0 to 1", "0.5"));
        assert_eq!(of("horizontal_flip", "p").meaning, "Probability.");
        assert_eq!(described(&of("central_crop", "fraction")), words("range [low, high]", "above 0, to 1", "required"));
        assert_eq!(described(&of("resize", "filter")), words("<filter>", "", "bilinear"));
        let fill = words("list of numbers", "3 of them", "[0, 0, 0]");
        assert_eq!(described(&of("random_crop", "fill")), fill);
        assert_eq!(described(&of("one_of", "ops")), words("list of ops", "", "required"));
        let mixings = mixings();
        assert!(mixings.iter().map(|mixing| mixing.name.as_str()).take(2).eq(["cutmix", "mixup"]));
    }
}
