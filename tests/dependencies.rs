//! Promise: what the program is built of may be given away under its licences, and builds with the Rust version it states.

use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than to be named.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "IJG",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn every_dependency_has_a_licence_that_allows_ours() {
    let packages = packages();
    let refused: Vec<_> = packages.iter().filter(|package| !is_allowed(text(package, "license"))).collect();
    let named = |package: &&Value| format!("{}: {:?}", text(package, "name"), text(package, "license"));
    assert!(refused.is_empty(), "{:#?}", refused.iter().map(named).collect::<Vec<_>>());
}

#[test]
fn no_dependency_needs_a_newer_rust_than_the_manifest_says() {
    let ours = version(env!("CARGO_PKG_RUST_VERSION"));
    for package in packages() {
        let needed = text(&package, "rust_version");
        assert!(version(needed) <= ours, "{} needs Rust {needed}", text(&package, "name"));
    }
}

#[test]
fn every_dependency_comes_from_the_registry_or_from_here() {
    for package in packages() {
        let source = text(&package, "source");
        let known = source.is_empty() || source.starts_with("registry+https://github.com/rust-lang/crates.io-index");
        assert!(known, "{} comes from {source}", text(&package, "name"));
    }
}

#[test]
fn both_licences_are_here_in_full() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mit = std::fs::read_to_string(root.join("LICENSE-MIT")).unwrap();
    assert!(mit.contains("The above copyright notice and this permission notice shall be included"));
    let apache = std::fs::read_to_string(root.join("LICENSE-APACHE")).unwrap();
    assert!(apache.contains("Version 2.0, January 2004") && apache.contains("END OF TERMS AND CONDITIONS"));
}

#[test]
fn licence_expressions_are_read_as_meant() {
    for allowed in
        ["MIT", "MIT/Apache-2.0", "GPL-2.0 OR MIT", "(MIT OR GPL-3.0) AND Unicode-3.0", "Zlib AND (GPL-2.0 OR MIT)"]
    {
        assert!(is_allowed(allowed), "{allowed}");
    }
    for refused in ["", "GPL-3.0", "AGPL-3.0-only", "MIT AND GPL-2.0", "(MIT OR Zlib) AND LGPL-2.1", "GPL-2.0 WITH x"] {
        assert!(!is_allowed(refused), "{refused}");
    }
}

/// All that is built for this platform, in every way, as the lock file names it.
fn packages() -> Vec<Value> {
    let rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV").output();
    let about = String::from_utf8(rustc.expect("a compiler, since there is a test").stdout).expect("text");
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says its host");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline", "--locked", "--all-features", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let Value::Array(packages) = metadata["packages"].take() else { panic!("no packages") };
    assert!(packages.len() > 50, "{} packages", packages.len());
    packages
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

fn version(text: &str) -> Vec<u64> {
    text.split('.').filter_map(|part| part.parse().ok()).chain([0; 3]).take(3).collect()
}

/// Whether an SPDX expression leaves a way that [`ALLOWED`] licences go: of OR one, of AND all. AND binds tighter.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let mut depth = 0;
    let (mut ors, mut ands) = (vec![0], vec![0]);
    for (at, letter) in expression.char_indices() {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        if depth == 0 {
            ors.extend(expression[at..].starts_with(" OR ").then_some(at));
            ands.extend(expression[at..].starts_with(" AND ").then_some(at));
        }
    }
    let pieces = |cuts: &[usize], word: &str| -> Vec<String> {
        let ends = cuts.iter().skip(1).copied().chain([expression.len()]);
        cuts.iter().zip(ends).map(|(start, end)| expression[*start..end].trim_start_matches(word).to_owned()).collect()
    };
    if ors.len() > 1 {
        return pieces(&ors, " OR ").iter().any(|piece| is_allowed(piece));
    }
    if ands.len() > 1 {
        return pieces(&ands, " AND ").iter().all(|piece| is_allowed(piece));
    }
    let expression = expression.trim();
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => is_allowed(inner),
        None => ALLOWED.contains(&expression),
    }
}
