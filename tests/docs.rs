//! Promise: what the documents say is so. The page of ops is what contract and code say; links lead somewhere; flags exist;
//! commands print what stands below them; configuration can be read; the example resumes to the same weights.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

#[path = "docs/console.rs"]
mod console;

#[path = "docs/ops.rs"]
mod ops;

#[path = "docs/pictures.rs"]
mod pictures;

#[path = "../examples/train_loop.rs"]
mod train_loop;

#[test]
fn the_page_of_ops_is_what_contract_and_code_say() {
    let (path, page) = (ops::source("docs/ops.md"), ops::page());
    if std::env::var_os("FEEDLINE_WRITE_DOCS").is_some() {
        fs::write(&path, &page).expect("writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let different = page.lines().zip(committed.lines()).find(|(new, old)| new != old);
    assert!(
        committed == page,
        "docs/ops.md is not what contract and code say now: run this test with FEEDLINE_WRITE_DOCS=1 and commit the file; \
         first difference: {different:?}"
    );
}

#[test]
fn every_link_leads_to_a_file_or_heading() {
    let mut broken = Vec::new();
    for (path, text) in documents() {
        for target in links(&text) {
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let target_path =
                if file.is_empty() { path.clone() } else { path.parent().expect("a file's folder").join(file) };
            let has_heading = || {
                let text = fs::read_to_string(&target_path).unwrap_or_default();
                prose(&text).filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading)
            };
            if !target_path.exists() || !(heading.is_empty() || has_heading()) {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn every_flag_of_a_command_exists() {
    let mut help: BTreeMap<String, String> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (path, text) in documents() {
        for line in commands(&text) {
            let Some(command) = line.split("feedline ").nth(1) else { continue };
            let words: Vec<&str> =
                command.split_whitespace().take_while(|word| !matches!(*word, "|" | "#" | "&")).collect();
            let (Some(name), flags) = (words.first(), words.iter().filter(|word| word.starts_with("--"))) else {
                continue;
            };
            let known = help.entry((*name).to_owned()).or_insert_with(|| help_of(name));
            checked += 1;
            let flags = flags.map(|flag| flag.split('=').next().unwrap_or(flag));
            let unknown = flags.filter(|flag| !known.split([' ', ',', '\n']).any(|word| word == *flag));
            wrong.extend(unknown.map(|flag| format!("{}: {name} {flag}", path.display())));
        }
    }
    assert!(checked > 10, "only {checked} commands were found");
    assert!(wrong.is_empty(), "flags that do not exist:\n{}", wrong.join("\n"));
}

#[test]
fn commands_print_what_stands_below_them() {
    let server = console::Server::start();
    let mut checked = 0;
    let mut differences = Vec::new();
    for (path, text) in documents() {
        for shown in code(&text, "console").flat_map(console::shown).filter(console::Shown::is_repeatable) {
            checked += 1;
            let difference = shown.difference(&server.address);
            differences.extend(difference.map(|difference| format!("{}: {difference}", path.display())));
        }
    }
    assert!(checked > 4, "only {checked} commands with output were found");
    assert!(differences.is_empty(), "other output than stands there:\n{}", differences.join("\n"));
}

#[test]
fn every_piece_of_configuration_can_be_read() {
    let mut read = 0;
    for (path, text) in documents() {
        for block in code(&text, "toml") {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            fs::write(file.path(), block).expect("writable");
            let pipeline = block.trim_start().starts_with("ops = ");
            let result = if pipeline {
                feedline::config::read_pipeline(file.path()).map(drop)
            } else if block.contains("global_batch_size") || block.contains("[mixing]") {
                feedline::config::read_spec(file.path()).map(drop)
            } else {
                feedline::config::File::read(file.path()).map(drop)
            };
            assert!(result.is_ok(), "{}: {:?}\n{block}", path.display(), result.err().map(|error| error.to_string()));
            read += 1;
        }
    }
    assert!(read > 3, "only {read} pieces of TOML were found");
}

#[test]
fn the_example_ends_with_the_same_weights_when_it_was_cut_off() {
    train_loop::main().expect("the example says what is wrong");
}

/// The documents with their text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(ops::source).into();
    let pages = fs::read_dir(ops::source("docs")).expect("docs/ is there").map(|entry| entry.expect("readable").path());
    paths.extend(pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    let read = |path: PathBuf| {
        assert!(path.is_file(), "no document {}", path.display());
        let text = fs::read_to_string(&path).expect("readable");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// Lines that are not code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    text.split("```").step_by(2).flat_map(str::lines)
}

/// Blocks of code of a language.
fn code<'a>(text: &'a str, language: &'a str) -> impl Iterator<Item = &'a str> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

/// Lines that a shell is given: those of blocks of `sh`, and those of `console` that begin with a prompt.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let plain = code(text, "sh").flat_map(str::lines).filter(|line| !line.starts_with('#'));
    plain.chain(code(text, "console").flat_map(str::lines).filter_map(|line| line.strip_prefix("$ ")))
}

/// Targets of links and pictures, but those on other hosts.
fn links(text: &str) -> Vec<String> {
    let in_line = |line: &str| -> Vec<String> {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let pictures = line.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
        targets.chain(pictures).map(str::to_owned).collect()
    };
    prose(text).flat_map(in_line).filter(|target| !target.contains("://")).collect()
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn help_of(command: &str) -> String {
    let output = console::program().args([command, "--help"]).output().expect("the program runs");
    assert!(output.status.success(), "no command {command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
