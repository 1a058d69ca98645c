//! Promise: what a released contract says stays so. Numbers, names, types, labels, oneofs, defaults and rpcs are compared with
//! the committed `feedline/v1/contract.lock`; what is new is taken in by `FEEDLINE_WRITE_CONTRACT=1 cargo test -p feedline-proto`.
//! Something may go only if its number and its name are `reserved` in its place.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use feedline_proto::rule::{descriptors, rule_of};
use prost_reflect::{
    Cardinality, EnumDescriptor, FieldDescriptor, FileDescriptor, MessageDescriptor, MethodDescriptor,
};

#[test]
fn nothing_released_changes() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("feedline/v1/contract.lock");
    let now = contract();
    let before = parse(&fs::read_to_string(&path).unwrap_or_default());
    let broken = broken(&before, &now);
    assert!(broken.is_empty(), "the contract breaks its word:\n{}", broken.join("\n"));
    let text = written(&now);
    if std::env::var_os("FEEDLINE_WRITE_CONTRACT").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, text, "new: run this test with FEEDLINE_WRITE_CONTRACT=1 and commit contract.lock");
}

#[test]
fn every_kind_of_breakage_is_seen() {
    let now = contract();
    let reserved = ("feedline.v1.CutMix 9".to_owned(), "reserved old_name".to_owned());
    let broken_by = |change: fn(&mut Contract)| {
        let mut before = now.clone();
        before.insert("feedline.v1.CutMix 9".into(), "old_name optional double".into());
        let mut after = now.clone();
        after.insert(reserved.0.clone(), reserved.1.clone());
        change(&mut after);
        broken(&before, &after)
    };
    assert_eq!(broken_by(|_| {}), Vec::<String>::new(), "a removal whose number and name are reserved");
    for change in [
        (|after| drop(after.insert("feedline.v1.CutMix 9".into(), "reserved".into()))) as fn(&mut Contract),
        |after| drop(after.remove("feedline.v1.CutMix 9")),
        |after| drop(after.insert("feedline.v1.CutMix 9".into(), "new_name optional double".into())),
        |after| drop(after.remove("feedline.v1.LoaderSpec 7")),
        |after| drop(after.remove("feedline.v1.FeedlineService Stream")),
        |after| *after.get_mut("feedline.v1.Order 1").unwrap() = "ORDER_SEQUENTIAL".into(),
        |after| *after.get_mut("feedline.v1.Mixing 1").unwrap() = "cutmix feedline.v1.CutMix".into(),
        |after| *after.get_mut("feedline.v1.HorizontalFlip 1").unwrap() = "p optional double default=0.6".into(),
    ] {
        assert_eq!(broken_by(change).len(), 1);
    }
    let contract = |what: &str| Contract::from([("feedline.v1.CutMix 9".to_owned(), what.to_owned())]);
    assert!(broken(&contract("reserved old"), &contract("reserved older old")).is_empty());
    assert_eq!(broken(&contract("reserved old"), &contract("old optional double")).len(), 1, "reserved is for ever");
}

#[test]
fn everything_has_a_comment() {
    for file in files() {
        let proto = file.file_descriptor_proto();
        let comments = comments(&file);
        let mut missing = Vec::new();
        for (index, message) in proto.message_type.iter().enumerate() {
            uncommented(&comments, &[4, index as i32], message.name(), &mut missing);
            for (field, descriptor) in message.field.iter().enumerate() {
                let name = format!("{}.{}", message.name(), descriptor.name());
                uncommented(&comments, &[4, index as i32, 2, field as i32], &name, &mut missing);
            }
            assert!(message.nested_type.is_empty() && message.enum_type.is_empty(), "{} nests", message.name());
        }
        for (index, kind) in proto.enum_type.iter().enumerate() {
            uncommented(&comments, &[5, index as i32], kind.name(), &mut missing);
            for (value, descriptor) in kind.value.iter().enumerate() {
                uncommented(&comments, &[5, index as i32, 2, value as i32], descriptor.name(), &mut missing);
            }
        }
        for (index, service) in proto.service.iter().enumerate() {
            uncommented(&comments, &[6, index as i32], service.name(), &mut missing);
            for (method, descriptor) in service.method.iter().enumerate() {
                uncommented(&comments, &[6, index as i32, 2, method as i32], descriptor.name(), &mut missing);
            }
        }
        assert!(missing.is_empty(), "{} says nothing of {missing:?}", file.name());
    }
}

#[test]
fn names_follow_the_style_guide() {
    for message in messages() {
        assert!(is_camel(message.name()), "{}", message.name());
        for field in message.fields() {
            assert!(is_snake(field.name()), "{} is no lower_snake_case", field.full_name());
        }
    }
    for kind in enums() {
        let prefix = kind.name().chars().fold(String::new(), |mut prefix, letter| {
            if letter.is_uppercase() && !prefix.is_empty() {
                prefix.push('_');
            }
            prefix.extend(letter.to_uppercase());
            prefix
        });
        assert!(is_camel(kind.name()), "{}", kind.name());
        for value in kind.values() {
            let short = value.name().strip_prefix(&prefix).and_then(|rest| rest.strip_prefix('_'));
            let short = short.unwrap_or_else(|| panic!("{} does not begin with {prefix}_", value.name()));
            assert!(is_snake(&short.to_lowercase()) && short == short.to_uppercase(), "{}", value.name());
            assert_eq!(value.number() == 0, short == "UNSPECIFIED", "{}", value.name());
        }
        assert!(kind.get_value(0).is_some(), "{} has no zero", kind.name());
    }
    for method in methods() {
        let (name, input, output) = (method.name().to_owned(), method.input(), method.output());
        assert_eq!(input.name(), format!("{name}Request"));
        assert!(output.name() == format!("{name}Response") || method.is_server_streaming(), "{}", output.name());
        assert!(input.get_field_by_name("contract_revision").is_some_and(|field| field.number() == 1), "{name}");
    }
}

#[test]
fn a_number_or_switch_whose_default_is_not_zero_tells_absent_from_zero() {
    use prost_reflect::Kind;
    for field in messages().iter().flat_map(MessageDescriptor::fields) {
        let rule = rule_of(&field);
        let default = rule.default.iter().any(|x| *x != 0.0);
        // A list is absent when empty, an enum when UNSPECIFIED, a text when empty.
        let zero_is_a_value = !field.is_list() && !matches!(field.kind(), Kind::Enum(_) | Kind::String | Kind::Bytes);
        if default && zero_is_a_value {
            assert!(field.supports_presence(), "{} has a default and must be optional", field.full_name());
        }
        let within = |x: &f64| rule.min.is_none_or(|min| *x >= min) && rule.max.is_none_or(|max| *x <= max);
        assert!(rule.default.iter().all(within), "the default of {} is out of its range", field.full_name());
        let items = rule.items as usize;
        assert!(items == 0 || rule.default.is_empty() || rule.default.len() == items, "{}", field.full_name());
        assert!(!(rule.required && rule.reserved), "{} is both", field.full_name());
        if let Kind::Enum(kind) = field.kind() {
            let known = |x: &f64| kind.get_value(*x as i32).is_some();
            assert!(rule.default.iter().all(known), "{} has no such value", field.full_name());
        }
    }
}

#[test]
fn sixty_four_bits_say_how_javascript_reads_them_and_defaults_stand_in_the_comment() {
    use prost_reflect::Kind;
    for file in files() {
        let comments = comments(&file);
        for (index, message) in file.messages().enumerate() {
            for (at, field) in file.file_descriptor_proto().message_type[index].field.iter().enumerate() {
                let descriptor = message.get_field_by_name(field.name()).expect("its own field");
                let wide = matches!(descriptor.kind(), Kind::Uint64 | Kind::Int64 | Kind::Sint64 | Kind::Fixed64);
                let jstype = field.options.as_ref().is_some_and(|options| options.jstype.is_some());
                assert_eq!(wide, jstype, "{} and jstype", descriptor.full_name());
                let rule = rule_of(&descriptor);
                let comment = &comments[&vec![4, index as i32, 2, at as i32]];
                let has_default = !rule.default.is_empty() || !rule.default_text.is_empty();
                assert!(!has_default || comment.contains("Default"), "{} hides its default", descriptor.full_name());
            }
        }
    }
}

/// Where something stands, such as `feedline.v1.CutMix 1`, and what stands there: its name first.
type Contract = BTreeMap<String, String>;

/// The contract as it is now.
fn contract() -> Contract {
    let mut contract = Contract::new();
    for message in messages() {
        for field in message.fields() {
            contract.insert(format!("{} {}", message.full_name(), field.number()), described(&field));
        }
        let proto = message.descriptor_proto();
        let numbers = proto.reserved_range.iter().flat_map(|range| range.start()..range.end());
        reserve(&mut contract, message.full_name(), numbers, &proto.reserved_name);
    }
    for kind in enums() {
        for value in kind.values() {
            contract.insert(format!("{} {}", kind.full_name(), value.number()), value.name().to_owned());
        }
        let proto = kind.enum_descriptor_proto();
        let numbers = proto.reserved_range.iter().flat_map(|range| range.start()..=range.end());
        reserve(&mut contract, kind.full_name(), numbers, &proto.reserved_name);
    }
    for method in methods() {
        let stream = |is: bool| if is { "stream " } else { "" };
        let (takes, gives) = (stream(method.is_client_streaming()), stream(method.is_server_streaming()));
        let (input, output) = (method.input(), method.output());
        let place = format!("{} {}", method.parent_service().full_name(), method.name());
        contract.insert(place, format!("({takes}{}) returns ({gives}{})", input.full_name(), output.full_name()));
    }
    for extension in descriptors().all_extensions().filter(|extension| extension.full_name().starts_with(PACKAGE)) {
        let place = format!("{} {}", extension.containing_message().full_name(), extension.number());
        contract.insert(place, format!("{} {:?}", extension.full_name(), extension.kind()));
    }
    contract
}

const PACKAGE: &str = "feedline.v1";

/// Reserved numbers, each with all reserved names: which name had which number is what the lock file remembers.
fn reserve(contract: &mut Contract, parent: &str, numbers: impl Iterator<Item = i32>, names: &[String]) {
    for (reserved, number) in numbers.enumerate() {
        assert!(reserved < 10_000, "{parent} reserves more numbers than can be listed");
        contract.insert(format!("{parent} {number}"), format!("reserved {}", names.join(" ")).trim_end().to_owned());
    }
}

/// Name, label, type and rule of a field, on one line.
fn described(field: &FieldDescriptor) -> String {
    use prost_reflect::Kind;
    let label = match field.cardinality() {
        Cardinality::Repeated => "repeated ",
        Cardinality::Optional if field.field_descriptor_proto().proto3_optional() => "optional ",
        _ => "",
    };
    let kind = match field.kind() {
        Kind::Message(message) => message.full_name().to_owned(),
        Kind::Enum(kind) => kind.full_name().to_owned(),
        other => format!("{other:?}").to_lowercase(),
    };
    let mut text = format!("{} {label}{kind}", field.name());
    if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
        text += &format!(" oneof={}", oneof.name());
    }
    let rule = rule_of(field);
    if !rule.default.is_empty() {
        let numbers: Vec<_> = rule.default.iter().map(f64::to_string).collect();
        text += &format!(" default={}", numbers.join(","));
    }
    if !rule.default_text.is_empty() {
        text += &format!(" default={:?}", rule.default_text);
    }
    text
}

/// What `now` no longer holds of `before`.
fn broken(before: &Contract, now: &Contract) -> Vec<String> {
    let differs = |(place, was): (&String, &String)| {
        let is = now.get(place).map_or("gone", String::as_str);
        // What was a field must have its name reserved; what was reserved keeps all its names.
        let names: Vec<_> = match was.strip_prefix("reserved") {
            Some(names) => names.split_whitespace().collect(),
            None => was.split(' ').take(1).collect(),
        };
        let reserved: Option<Vec<_>> = is.strip_prefix("reserved").map(|names| names.split_whitespace().collect());
        let kept = is == was || reserved.is_some_and(|reserved| names.iter().all(|name| reserved.contains(name)));
        (!kept).then(|| format!("{place}: was `{was}`, is `{is}`"))
    };
    before.iter().filter_map(differs).collect()
}

fn written(contract: &Contract) -> String {
    let mut lines: Vec<_> = contract.iter().collect();
    lines.sort_by_key(|(place, _)| {
        let (parent, number) = place.split_once(' ').unwrap_or_default();
        (parent, number.parse::<i32>().unwrap_or(0), number)
    });
    let lines: String = lines.iter().map(|(place, what)| format!("{place} = {what}\n")).collect();
    format!("# What is released. Written by the test `contract`; a line may be added, none may change.\n{lines}")
}

fn parse(text: &str) -> Contract {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).map(|(place, what)| (place.into(), what.into())).collect()
}

fn files() -> Vec<FileDescriptor> {
    descriptors().files().filter(|file| file.package_name() == PACKAGE).collect()
}

fn messages() -> Vec<MessageDescriptor> {
    descriptors().all_messages().filter(|message| message.package_name() == PACKAGE).collect()
}

fn enums() -> Vec<EnumDescriptor> {
    descriptors().all_enums().filter(|kind| kind.package_name() == PACKAGE).collect()
}

fn methods() -> Vec<MethodDescriptor> {
    descriptors().services().flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// Comments of a file, by path in its descriptor.
fn comments(file: &FileDescriptor) -> BTreeMap<Vec<i32>, String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref().expect("compiled with comments");
    info.location.iter().map(|place| (place.path.clone(), place.leading_comments().trim().to_owned())).collect()
}

fn uncommented(comments: &BTreeMap<Vec<i32>, String>, path: &[i32], name: &str, missing: &mut Vec<String>) {
    if comments.get(path).is_none_or(String::is_empty) {
        missing.push(name.to_owned());
    }
}

fn is_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

fn is_snake(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(allowed) && !name.contains("__") && !name.ends_with('_')
}
