//! Compiles the contract: protox parses it (no protoc needed), prost and tonic make messages and service of it, pbjson the
//! TOML and JSON spelling of the spec.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use prost_types::EnumDescriptorProto;
use prost_types::FileDescriptorSet;

const FILES: [&str; 14] = [
    "rule", "choices", "geometry", "dropout", "colour", "filter", "noise", "policy", "style", "pipeline", "spec",
    "batch", "status", "service",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let files: Vec<_> = FILES.iter().map(|file| root.join(format!("feedline/v1/{file}.proto"))).collect();
    println!("cargo::rerun-if-changed={}", root.join("feedline").display());

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true).open_files(&files)?;
    let set = compiler.file_descriptor_set();
    // Encoded by protox, since the rules are extensions that prost's own descriptors drop.
    fs::write(out.join("feedline.v1.bin"), compiler.encode_file_descriptor_set())?;

    let mut config = prost_build::Config::new();
    config.enable_type_names().bytes([".feedline.v1.BatchPart"]);
    tonic_prost_build::configure().compile_fds_with_config(set.clone(), config)?;

    let mut json = pbjson_build::Builder::new();
    for file in short_spellings(set).file {
        json.register_file_descriptor(file);
    }
    json.preserve_proto_field_names().build(&[".feedline.v1"])?;
    Ok(())
}

/// The same descriptors with enum values spelled as TOML and JSON spell them: `FILTER_BILINEAR` is `bilinear`.
fn short_spellings(mut set: FileDescriptorSet) -> FileDescriptorSet {
    fn shorten(values: &mut EnumDescriptorProto) {
        let mut prefix = String::new();
        for letter in values.name().chars() {
            if letter.is_uppercase() && !prefix.is_empty() {
                prefix.push('_');
            }
            prefix.extend(letter.to_uppercase());
        }
        for value in &mut values.value {
            let short = value.name().strip_prefix(&prefix).map(|rest| rest.trim_start_matches('_').to_lowercase());
            value.name = short.or(value.name.take());
        }
    }
    for file in &mut set.file {
        file.enum_type.iter_mut().for_each(shorten);
        file.message_type.iter_mut().flat_map(|message| &mut message.enum_type).for_each(shorten);
    }
    set
}
