//! Promise: the tree reads in the order the data moves, and what is left of the server is plain, repeatable arithmetic.
//!
//! `src/lib.rs` is the table of contents; everything here is checked against it, so that the order can't rot in silence.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of `src/`.
struct Source {
    /// From the root of the repository: `src/plan/slice.rs`.
    path: String,
    /// Its top module: `plan`.
    module: String,
    /// How deep its own module is: 1 for `plan`, 2 for `plan::slice`.
    depth: usize,
    /// Its lines without comments, before its tests.
    code: Vec<(usize, String)>,
    /// Its lines without comments, from its tests on; all of it when the whole file is tests.
    tests: Vec<(usize, String)>,
    lines: usize,
}

#[test]
fn a_module_uses_only_what_is_declared_above_it() {
    let order = modules();
    let place = |name: &str| order.iter().position(|module| module == name);
    let mut wrong = Vec::new();
    for source in sources() {
        let own = place(&source.module);
        for (number, line) in source.code.iter().chain(&source.tests) {
            for used in crate_paths(line) {
                if place(&used) > own {
                    wrong.push(format!("{}:{number} uses {used}, which is declared below", source.path));
                }
                assert!(place(&used).is_some(), "{}:{number} uses {used}, which lib.rs does not declare", source.path);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_module_reaches_its_neighbours_through_super() {
    for source in sources() {
        // The tests of a file are a module of their own: one deeper.
        for (lines, depth) in [(&source.code, source.depth), (&source.tests, source.depth + 1)] {
            for (number, line) in lines {
                let chain = "super::".repeat(depth);
                assert!(!line.contains(&chain), "{}:{number} leaves its top module: say crate::", source.path);
            }
        }
    }
}

#[test]
fn every_module_of_the_source_tree_is_declared() {
    let order = modules();
    assert!(order.len() > 10 && order.first().is_some_and(|first| first == "image"), "{order:?}");
    for source in sources().iter().filter(|source| !source.module.is_empty()) {
        assert!(order.contains(&source.module), "{} belongs to no module of lib.rs", source.path);
    }
}

#[test]
fn stages_know_no_runtime_no_network_no_environment_and_no_clock() {
    let foreign = ["tokio", "tonic", "hyper", "clap", "std::env", "std::net"];
    let clock = ["Instant", "SystemTime", "sleep"];
    for source in stages() {
        for (number, line) in &source.code {
            for word in foreign {
                assert!(!has_word(line, word), "{}:{number} is left of the server and knows {word}", source.path);
            }
            // The engine times its stages for the statistics that travel beside a batch, never in it.
            for word in clock.iter().filter(|_| source.module != "engine") {
                assert!(!has_word(line, word), "{}:{number} is a stage and knows {word}", source.path);
            }
        }
    }
}

#[test]
fn only_the_edge_encodes_messages() {
    let edge = ["wire", "server", "client"];
    // The messages of the spec are plain data for those who build, place or show what they say; the nouns know none of them.
    let nouns = ["image", "sample", "seed", "header", "demo", "source", "store", "decode"];
    for source in sources() {
        for (number, line) in &source.code {
            let encodes = ["prost", "encode_to_vec", "encoded_len"].iter().any(|word| has_word(line, word));
            assert!(!encodes || edge.contains(&&*source.module), "{}:{number} encodes messages", source.path);
            let knows = has_word(line, "feedline_proto") && nouns.contains(&&*source.module);
            assert!(!knows, "{}:{number} is about a noun and knows the contract", source.path);
        }
    }
}

#[test]
fn bytes_of_batches_depend_on_no_platform_and_no_hidden_generator() {
    // What the platform's library computes differs from machine to machine; `libm` the crate does not. `sqrt` is exact.
    let floats = ["exp", "exp2", "ln", "log", "log2", "log10", "powf", "powi", "sin", "cos", "tan", "atan2", "cbrt"];
    let generators = ["thread_rng", "StdRng", "SmallRng", "OsRng", "RandomState", "rand::rng", "rand::random"];
    for source in stages() {
        for (number, line) in &source.code {
            for method in floats.iter().chain(&["hypot", "mul_add"]) {
                assert!(!line.contains(&format!(".{method}(")), "{}:{number} calls {method} of std", source.path);
            }
            for word in generators {
                assert!(!has_word(line, word), "{}:{number} draws from {word}, not from seed.rs", source.path);
            }
        }
    }
}

#[test]
fn files_are_short_finished_and_named_after_a_noun() {
    for source in sources() {
        assert!(source.lines <= 400, "{} has {} lines: split it along a noun", source.path, source.lines);
        let name = source.path.rsplit('/').next().unwrap_or_default();
        assert!(!["utils.rs", "util.rs", "helpers.rs", "misc.rs"].contains(&name), "{} has no noun", source.path);
        for (number, line) in source.code.iter().chain(&source.tests) {
            for word in ["todo!", "unimplemented!", "dbg!"] {
                assert!(!has_word(line, word), "{}:{number} has {word}", source.path);
            }
        }
    }
}

#[test]
fn no_test_is_ignored_or_waits_by_the_clock() {
    let root = root();
    let mut files = Vec::new();
    for folder in ["src", "tests", "proto/src", "proto/tests"] {
        walk(&root.join(folder), &mut files);
    }
    for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let text = fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        assert!(!text.contains(concat!("#[", "ignore")), "{name} ignores a test");
        if !name.starts_with("src") {
            assert!(!text.contains(concat!("thread::", "sleep")), "{name} sleeps in place of waiting for an event");
            let lines = text.lines().count();
            assert!(lines <= 400, "{name} has {lines} lines");
        }
    }
}

#[test]
fn no_file_names_a_place_on_the_machine_it_was_written_on() {
    let root = root();
    let mut files = Vec::new();
    for folder in
        ["src", "tests", "proto", "benches", "examples", "clients", "deploy", "assets", "docs", ".ci", ".github"]
    {
        walk(&root.join(folder), &mut files);
    }
    files.extend(fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| {
        path.is_file() && path.extension().is_some_and(|end| end == "md" || end == "toml") || path.ends_with("Makefile")
    }));
    let places = ["root", "home", "work", "Users", "tmp"];
    for path in files {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for place in places {
                let absolute = format!("/{place}/");
                let found = line.match_indices(&absolute).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}' | ')' | '*')))
                });
                assert!(!found, "{}:{} names {absolute}", path.display(), number + 1);
            }
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The modules that lib.rs declares, in its order.
fn modules() -> Vec<String> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    declared.map(ToOwned::to_owned).collect()
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut files = Vec::new();
    walk(&src, &mut files);
    let sources: Vec<Source> = files
        .iter()
        .filter(|path| !["lib.rs", "main.rs"].iter().any(|top| **path == src.join(top)))
        .map(|path| read(path, &src))
        .collect();
    assert!(sources.len() > 50, "the source tree is elsewhere");
    sources
}

/// Files of the modules above `server`.
fn stages() -> Vec<Source> {
    let order = modules();
    let server = order.iter().position(|module| module == "server").expect("declared");
    sources().into_iter().filter(|source| order[..server].contains(&source.module)).collect()
}

fn read(path: &Path, src: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let inside = path.strip_prefix(src).unwrap().with_extension("");
    let mut names: Vec<String> = inside.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    let all_tests = names.last().is_some_and(|name| name.ends_with("tests"));
    let mut in_tests = all_tests;
    let (mut code, mut tests) = (Vec::new(), Vec::new());
    let lines: Vec<&str> = text.lines().collect();
    for (number, line) in lines.iter().enumerate() {
        // Tests stand at the end of a file: `#[cfg(test)]`, perhaps more attributes, then `mod tests {`.
        let module = lines[number..].iter().find(|next| !next.starts_with("#["));
        in_tests |=
            *line == "#[cfg(test)]" && module.is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'));
        let line = line.split("//").next().unwrap_or_default();
        if in_tests { &mut tests } else { &mut code }.push((number + 1, line.to_owned()));
    }
    Source {
        path: format!("src/{}", path.strip_prefix(src).unwrap().display()),
        module: names.first().cloned().unwrap_or_default(),
        // A file of tests counts its own module in `tests` already.
        depth: names.len() - usize::from(all_tests),
        code,
        tests,
        lines: lines.len(),
    }
}

/// The top modules that `crate::…` of a line names: one, or those of a group in braces.
fn crate_paths(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, start) in line.match_indices("crate::") {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue; // the end of a longer name
        }
        let rest = &line[at + start.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            for entry in group.split_inclusive(['{', '}', ',']) {
                if depth == 0 {
                    found.extend(identifier(entry.trim_start()));
                }
                depth += entry.matches('{').count();
                depth = depth.saturating_sub(entry.matches('}').count());
            }
        } else {
            found.extend(identifier(rest));
        }
    }
    found
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_' || c.is_ascii_digit()).collect();
    (!name.is_empty()).then_some(name)
}

/// Whether `word` stands in `line`, not as a piece of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
    })
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir()
            && !path.ends_with("target")
            && !path.ends_with("__pycache__")
            && !path.ends_with("node_modules")
        {
            walk(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}

#[test]
fn these_checks_see_what_they_look_for() {
    assert_eq!(crate_paths("use crate::{image::{Form, Size}, tensor, seed::Key};"), ["image", "tensor", "seed"]);
    assert_eq!(crate_paths("let x = crate::plan::f(crate::store::g());"), ["plan", "store"]);
    assert!(has_word("use tokio::sync;", "tokio") && !has_word("use tokio_stream::x;", "tokio"));
    assert!(has_word("    todo!()", "todo!") && !has_word("Instantly", "Instant"));
}
