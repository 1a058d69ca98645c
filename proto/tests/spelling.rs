//! Promise: a loader spec reads the same from TOML, from JSON and from the wire; what is mistyped is refused with its place.

use feedline_proto::v1::{self, op::Op};
use feedline_proto::{FILE_DESCRIPTOR_SET, rule};

const SPEC: &str = r#"
dataset = "dogs"
split = "train[:80%]"
global_batch_size = 64
seed = 9007199254740991
order = "sequential"
last_batch = "wrap"
decode = { exif_orientation = true }
mixing = { cutmix = { alpha = 0.5, per = "batch" }, group_size = 8 }

[pipeline]
ops = [
    { resize = { height = 224, width = 224, filter = "lanczos3", antialias = false, output = "float" } },
    { horizontal_flip = { p = 0.0 } },
    { one_of = { ops = [{ vertical_flip = {} }, { rot90 = { turns = [1, 3] } }], weights = [1.0, 2.0] } },
    { contrast = { factor = [0.8, 1.2], method = "tensorflow" } },
    { to_float = {} },
]
"#;

fn spec() -> v1::LoaderSpec {
    toml::from_str(SPEC).expect("a spec as this file spells it")
}

fn ops(text: &str) -> Result<v1::Pipeline, toml::de::Error> {
    toml::from_str(&format!("ops = [{{ {text} }}]"))
}

#[test]
fn toml_says_what_the_messages_say() {
    let spec = spec();
    let ops = &spec.pipeline.as_ref().unwrap().ops;
    let mut resize = v1::Resize { height: 224, width: 224, antialias: Some(false), ..Default::default() };
    resize.set_filter(v1::Filter::Lanczos3);
    resize.set_output(v1::Output::Float);
    assert_eq!(ops[0].op, Some(Op::Resize(resize)));
    assert_eq!(ops[1].op, Some(Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.0) })));
    let Some(Op::OneOf(one_of)) = &ops[2].op else { panic!("{:?}", ops[2]) };
    assert_eq!(one_of.ops[1].op, Some(Op::Rot90(v1::Rot90 { turns: vec![1, 3], p: None })));
    assert_eq!(
        (spec.seed, spec.order(), spec.last_batch()),
        ((1 << 53) - 1, v1::Order::Sequential, v1::LastBatch::Wrap)
    );
    let Some(v1::mixing::Kind::Cutmix(cutmix)) = spec.mixing.unwrap().kind else { panic!("no CutMix") };
    assert_eq!((cutmix.alpha, cutmix.per()), (Some(0.5), v1::DrawPer::Batch));
}

#[test]
fn a_spec_survives_toml_json_and_the_wire() {
    use prost::Message;
    let spec = spec();
    let json = serde_json::to_string(&spec).unwrap();
    assert_eq!(serde_json::from_str::<v1::LoaderSpec>(&json).unwrap(), spec);
    assert_eq!(toml::from_str::<v1::LoaderSpec>(&toml::to_string(&spec).unwrap()).unwrap(), spec);
    assert_eq!(v1::LoaderSpec::decode(&*spec.encode_to_vec()).unwrap(), spec);
    let resolved = rule::with_defaults(&spec);
    let json = serde_json::to_string(&resolved).unwrap();
    assert_eq!(serde_json::from_str::<v1::LoaderSpec>(&json).unwrap(), resolved);
}

#[test]
fn enum_values_are_spelled_short() {
    let json = serde_json::to_string(&spec()).unwrap();
    for short in ["\"sequential\"", "\"wrap\"", "\"lanczos3\"", "\"float\"", "\"batch\"", "\"tensorflow\""] {
        assert!(json.contains(short), "{short} in {json}");
    }
    assert!(!json.contains("ORDER_") && !json.contains("FILTER_"), "{json}");
    let wrong = ops(r#"resize = { filter = "bilinaer" }"#).unwrap_err().to_string();
    assert!(wrong.contains("line 1") && wrong.contains("`bilinear`"), "{wrong}");
}

#[test]
fn an_unknown_field_is_refused_with_line_column_and_what_was_expected() {
    let spec = SPEC.replace("last_batch", "last_bach");
    let wrong = toml::from_str::<v1::LoaderSpec>(&spec).unwrap_err().to_string();
    assert!(wrong.contains("line 7, column 1"), "{wrong}");
    assert!(wrong.contains("`last_bach`") && wrong.contains("`last_batch`"), "{wrong}");
    let wrong = ops("horizontal_flop = {}").unwrap_err().to_string();
    assert!(wrong.contains("line 1, column") && wrong.contains("`horizontal_flip`"), "{wrong}");
    let wrong = ops("resize = { heigth = 3 }").unwrap_err().to_string();
    assert!(wrong.contains("line 1, column") && wrong.contains("`height`"), "{wrong}");
}

#[test]
fn an_op_is_one_op() {
    let wrong = ops("resize = {}, rot90 = {}").unwrap_err().to_string();
    assert!(wrong.contains("rot90") || wrong.contains("op"), "{wrong}");
    ops("rot90 = {}, rot90 = {}").unwrap_err();
}

#[test]
fn numbers_out_of_their_type_are_refused() {
    for wrong in ["resize = { height = -1 }", "resize = { height = 4294967296 }", "resize = { height = 1.5 }"] {
        ops(wrong).unwrap_err();
    }
    assert!(toml::from_str::<v1::LoaderSpec>("seed = -1").is_err());
}

#[test]
fn defaults_said_aloud_change_no_fingerprint_and_every_default_can_be_said() {
    let spec = spec();
    let aloud = rule::with_defaults(&spec);
    assert_ne!(spec, aloud);
    assert_eq!(rule::canonical(&spec), rule::canonical(&aloud));
    assert_eq!(rule::with_defaults(&aloud), aloud);
    let read: v1::LoaderSpec = toml::from_str(&toml::to_string(&aloud).unwrap()).unwrap();
    assert_eq!(rule::canonical(&read), rule::canonical(&spec));
    // Each op of the contract with nothing said, and with all its defaults said.
    let op = rule::descriptors().get_message_by_name("feedline.v1.Op").unwrap();
    for field in op.fields() {
        let silent = ops(&format!("{} = {{}}", field.name())).unwrap();
        let aloud = rule::with_defaults(&silent);
        assert_eq!(rule::canonical(&silent), rule::canonical(&aloud), "{}", field.name());
    }
}

#[test]
fn the_descriptors_that_reflection_shows_hold_all_that_they_import() {
    let set = <prost_types::FileDescriptorSet as prost::Message>::decode(FILE_DESCRIPTOR_SET).unwrap();
    let names: Vec<_> = set.file.iter().map(|file| file.name().to_owned()).collect();
    for import in set.file.iter().flat_map(|file| &file.dependency) {
        assert!(names.contains(import), "{import} is missing of {names:?}");
    }
}
