//! The rules of fields (`feedline/v1/rule.proto`), applied through reflection, so that a default or a range stands in one
//! place: beside the field in the contract.

use std::fmt;
use std::sync::OnceLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, ReflectMessage, Value};

/// A field whose value breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where, from the message that was checked: `pipeline.ops[3].random_crop.height`.
    pub field: String,
    /// The value, shortened.
    pub found: String,
    /// What it must be.
    pub expected: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, expected {}", self.field, self.found, self.expected)
    }
}

/// Checks every field of `message` and below against its rule. Reports at most [`MOST_VIOLATIONS`].
///
/// # Errors
/// The fields that break their rule, in order of the contract.
pub fn check<M: Message + prost::Name>(message: &M) -> Result<(), Vec<Violation>> {
    let mut found = Vec::new();
    check_message(&reflect(message), "", &mut found);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// `message` with every absent field set to its default, in every message that is present.
pub fn with_defaults<M: Message + prost::Name + Default>(message: &M) -> M {
    let mut dynamic = reflect(message);
    fill(&mut dynamic);
    dynamic.transcode_to().expect("a message of the contract, seen through the same descriptors")
}

/// The bytes that stand for `message` in fingerprints: fields by number, defaults and empty messages left out, floats by
/// their bits. Equal for messages that mean the same, and unchanged by new fields that are absent.
pub fn canonical<M: Message + prost::Name>(message: &M) -> Vec<u8> {
    let mut out = Vec::new();
    write_message(&reflect(message), &mut out);
    out
}

/// Most violations that [`check`] reports.
pub const MOST_VIOLATIONS: usize = 8;

/// Descriptors of the contract, rules included.
pub fn descriptors() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| {
        DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).expect("descriptors that protox wrote at build time")
    })
}

/// The rule of `field`; all default when it has none.
pub fn rule_of(field: &FieldDescriptor) -> crate::v1::Rule {
    let extension = descriptors().get_extension_by_name("feedline.v1.rule").expect("declared in rule.proto");
    let options = field.options();
    let value = options.get_extension(&extension);
    value.as_message().and_then(|rule| rule.transcode_to().ok()).unwrap_or_default()
}

/// How many entries the repeated field `field` of `M` may have at most; none: any number, or no such field.
pub fn most_items<M: prost::Name>(field: &str) -> Option<usize> {
    let message = descriptors().get_message_by_name(&M::full_name())?;
    let most = rule_of(&message.get_field_by_name(field)?).max_items;
    (most > 0).then_some(most as usize)
}

fn reflect<M: Message + prost::Name>(message: &M) -> DynamicMessage {
    let descriptor = descriptors().get_message_by_name(&M::full_name()).expect("a message of the contract");
    let mut dynamic = DynamicMessage::new(descriptor);
    dynamic.transcode_from(message).expect("a message of the contract, seen through the same descriptors");
    dynamic
}

fn check_message(message: &DynamicMessage, path: &str, found: &mut Vec<Violation>) {
    for field in message.descriptor().fields() {
        if found.len() >= MOST_VIOLATIONS {
            return;
        }
        let rule = rule_of(&field);
        let at = if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
        if !message.has_field(&field) {
            if rule.required {
                let expected = if field.is_list() { "at least one entry" } else { "a value" };
                found.push(Violation { field: at, found: "missing".into(), expected: expected.into() });
            }
            continue;
        }
        let value = message.get_field(&field);
        if rule.reserved {
            let expected = "nothing: this server does not support it".into();
            found.push(Violation { field: at, found: shown(&value), expected });
            continue;
        }
        check_value(&field, &rule, &value, &at, found);
    }
}

fn check_value(field: &FieldDescriptor, rule: &crate::v1::Rule, value: &Value, at: &str, found: &mut Vec<Violation>) {
    let mut refuse = |expected: String| found.push(Violation { field: at.to_owned(), found: shown(value), expected });
    match value {
        Value::Message(inner) => check_message(inner, at, found),
        Value::List(entries) => {
            let (items, most) = (rule.items as usize, rule.max_items as usize);
            let numbers: Vec<f64> = entries.iter().filter_map(number).collect();
            if rule.range && (numbers.len() != 2 || numbers[0] > numbers[1]) {
                return refuse("two numbers [low, high], low not above high".into());
            }
            if (items > 0 && entries.len() != items) || (most > 0 && entries.len() > most) {
                return refuse(if items > 0 { format!("{items} entries") } else { format!("at most {most} entries") });
            }
            for (index, entry) in entries.iter().enumerate() {
                if found.len() < MOST_VIOLATIONS {
                    check_value(field, rule, entry, &format!("{at}[{index}]"), found);
                }
            }
        }
        Value::EnumNumber(value) => {
            let Kind::Enum(kind) = field.kind() else { return };
            if kind.get_value(*value).is_none() {
                let known: Vec<_> = kind.values().skip(1).map(|value| value.name().to_owned()).collect();
                refuse(format!("one of {}", known.join(", ")));
            }
        }
        other => {
            let Some(x) = number(other) else { return };
            let (min, max) = (rule.min.unwrap_or(f64::NEG_INFINITY), rule.max.unwrap_or(f64::INFINITY));
            let above = if rule.above_min { x > min } else { x >= min };
            if !(x.is_finite() && above && x <= max) {
                refuse(bounds(rule));
            }
        }
    }
}

fn bounds(rule: &crate::v1::Rule) -> String {
    let above = if rule.above_min { "above" } else { "from" };
    match (rule.min, rule.max) {
        (Some(min), Some(max)) => format!("a number {above} {min} to {max}"),
        (Some(min), None) if rule.above_min => format!("a number above {min}"),
        (Some(min), None) => format!("a number not below {min}"),
        (None, Some(max)) => format!("a number up to {max}"),
        (None, None) => "a finite number".into(),
    }
}

fn fill(message: &mut DynamicMessage) {
    for field in message.descriptor().fields() {
        if message.has_field(&field) {
            match message.get_field_mut(&field) {
                Value::Message(inner) => fill(inner),
                Value::List(entries) => entries.iter_mut().filter_map(Value::as_message_mut).for_each(fill),
                _ => {}
            }
        } else if let Some(value) = default_value(&field) {
            message.set_field(&field, value);
        }
    }
}

fn default_value(field: &FieldDescriptor) -> Option<Value> {
    let rule = rule_of(field);
    if !rule.default_text.is_empty() {
        return Some(Value::String(rule.default_text));
    }
    let mut values = rule.default.iter().filter_map(|x| scalar(&field.kind(), *x));
    if field.is_list() { (!rule.default.is_empty()).then(|| Value::List(values.collect())) } else { values.next() }
}

/// `x` as a value of `kind`. Defaults are whole numbers wherever the kind is.
fn scalar(kind: &Kind, x: f64) -> Option<Value> {
    Some(match kind {
        Kind::Double => Value::F64(x),
        Kind::Float => Value::F32(x as f32),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(x as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(x as u64),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(x as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(x as i64),
        Kind::Bool => Value::Bool(x != 0.0),
        Kind::Enum(_) => Value::EnumNumber(x as i32),
        Kind::String | Kind::Bytes | Kind::Message(_) => return None,
    })
}

fn number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::F64(x) => *x,
        Value::F32(x) => f64::from(*x),
        Value::U32(x) => f64::from(*x),
        Value::U64(x) => *x as f64,
        Value::I32(x) | Value::EnumNumber(x) => f64::from(*x),
        Value::I64(x) => *x as f64,
        _ => return None,
    })
}

fn shown(value: &Value) -> String {
    match value {
        Value::Message(_) => "set".into(),
        Value::List(entries) if entries.len() > 4 => format!("a list of {}", entries.len()),
        Value::List(entries) => format!("[{}]", entries.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::String(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
        Value::Bool(x) => x.to_string(),
        // As a float, the last digits of a long one would be made up.
        Value::U64(x) => x.to_string(),
        Value::I64(x) => x.to_string(),
        other => number(other).map_or_else(|| "set".into(), |x| x.to_string()),
    }
}

fn write_message(message: &DynamicMessage, out: &mut Vec<u8>) {
    let mut fields: Vec<_> = message.descriptor().fields().filter(|field| message.has_field(field)).collect();
    fields.sort_by_key(FieldDescriptor::number);
    for field in fields {
        let value = message.get_field(&field);
        if default_value(&field).is_some_and(|default| default == *value) {
            continue;
        }
        let mut bytes = Vec::new();
        write_value(&value, &mut bytes);
        // A member of a oneof says something by being there; any other message that holds nothing says nothing.
        let empty = matches!(&*value, Value::Message(_)) && bytes.len() == EMPTY_MESSAGE;
        let chosen = field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic());
        if chosen || !empty {
            out.extend(field.number().to_le_bytes());
            out.extend(bytes);
        }
    }
}

fn write_value(value: &Value, out: &mut Vec<u8>) {
    let mut long = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend((bytes.len() as u64).to_le_bytes());
        out.extend(bytes);
    };
    match value {
        Value::Message(inner) => {
            let mut bytes = Vec::new();
            write_message(inner, &mut bytes);
            long(b'm', &bytes);
        }
        Value::List(entries) => {
            let mut bytes = Vec::new();
            entries.iter().for_each(|entry| write_value(entry, &mut bytes));
            long(b'l', &bytes);
        }
        Value::String(text) => long(b's', text.as_bytes()),
        Value::Bytes(bytes) => long(b's', bytes),
        Value::Map(_) => unreachable!("the contract has no maps, so that order is never a question"),
        Value::F32(x) => fixed(b'f', u64::from(x.to_bits()), out),
        Value::F64(x) => fixed(b'f', x.to_bits(), out),
        Value::Bool(x) => fixed(b'i', u64::from(*x), out),
        Value::U32(x) => fixed(b'i', u64::from(*x), out),
        Value::U64(x) => fixed(b'i', *x, out),
        Value::I32(x) | Value::EnumNumber(x) => fixed(b'i', i64::from(*x) as u64, out),
        Value::I64(x) => fixed(b'i', *x as u64, out),
    }
}

fn fixed(tag: u8, bits: u64, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend(bits.to_le_bytes());
}

/// Length of a written message that holds nothing: its tag and its length.
const EMPTY_MESSAGE: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{self, op};

    fn pipeline(op: op::Op) -> v1::LoaderSpec {
        let pipeline = v1::Pipeline { ops: vec![v1::Op { op: Some(op) }], ..Default::default() };
        v1::LoaderSpec { pipeline: Some(pipeline), global_batch_size: 8, ..Default::default() }
    }

    #[test]
    fn a_default_said_aloud_changes_no_fingerprint() {
        let silent = pipeline(op::Op::HorizontalFlip(v1::HorizontalFlip::default()));
        let aloud = with_defaults(&silent);
        assert_eq!(aloud.split, "train");
        assert_ne!(silent, aloud);
        assert_eq!(canonical(&silent), canonical(&aloud));
        let with_decode = v1::LoaderSpec { decode: Some(v1::DecodeOptions::default()), ..silent.clone() };
        assert_eq!(canonical(&silent), canonical(&with_decode));
    }

    #[test]
    fn every_value_that_means_something_changes_the_canonical_bytes() {
        let flip = |p| canonical(&pipeline(op::Op::HorizontalFlip(v1::HorizontalFlip { p })));
        assert_ne!(flip(None), flip(Some(0.0)));
        assert_ne!(flip(Some(0.25)), flip(Some(0.75)));
        let empty = v1::LoaderSpec { global_batch_size: 8, ..Default::default() };
        assert_ne!(flip(None), canonical(&empty), "an op without parameters is there all the same");
        let vertical = pipeline(op::Op::VerticalFlip(v1::VerticalFlip::default()));
        assert_ne!(flip(None), canonical(&vertical));
    }

    #[test]
    fn violations_name_the_field_what_was_found_and_what_was_expected() {
        let bad = pipeline(op::Op::HorizontalFlip(v1::HorizontalFlip { p: Some(f64::NAN) }));
        let found = check(&bad).expect_err("NaN is no probability");
        assert_eq!(found[0].to_string(), "pipeline.ops[0].horizontal_flip.p is NaN, expected a number from 0 to 1");
        let bad = pipeline(op::Op::CentralCrop(v1::CentralCrop { fraction: vec![0.9, 0.5] }));
        let found = check(&bad).expect_err("a range must rise");
        assert_eq!(found[0].field, "pipeline.ops[0].central_crop.fraction");
        let bad = v1::LoaderSpec { global_batch_size: 0, order: 77, ..Default::default() };
        let fields: Vec<_> = check(&bad).expect_err("two mistakes").into_iter().map(|found| found.field).collect();
        assert_eq!(fields, ["global_batch_size", "order"]);
    }

    #[test]
    fn the_most_entries_of_a_list_are_those_of_its_rule() {
        assert_eq!(most_items::<v1::LoaderSpec>("targets"), Some(8));
        assert_eq!(most_items::<v1::LoaderSpec>("seed"), None);
        assert_eq!(most_items::<v1::LoaderSpec>("sed"), None);
    }

    #[test]
    fn a_field_that_nothing_reads_is_refused_when_set() {
        let spec =
            v1::LoaderSpec { sampling: Some(v1::Sampling::default()), global_batch_size: 8, ..Default::default() };
        assert!(check(&spec).expect_err("sampling is reserved")[0].expected.contains("does not support"));
        let spec =
            v1::LoaderSpec { global_batch_size: 8, mixture: vec![v1::MixtureSource::default()], ..Default::default() };
        assert_eq!(check(&spec).expect_err("mixture is reserved")[0].field, "mixture");
    }
}
