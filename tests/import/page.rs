//! The table of docs/import.md is what the code says.

use std::fmt::Write as _;

use super::*;

#[test]
fn the_page_lists_every_class() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/import.md");
    let page = fs::read_to_string(&path).expect("docs/import.md");
    let (head, rest) = page.split_once(BEGIN).expect("a place for the table");
    let (_, foot) = rest.split_once(END).expect("the end of the table");
    let wanted = format!("{head}{BEGIN}\n{}{END}{foot}", table());
    if std::env::var_os("FEEDLINE_WRITE_DOCS").is_some() {
        fs::write(&path, &wanted).expect("writable");
        return;
    }
    assert!(page == wanted, "run this test with FEEDLINE_WRITE_DOCS=1 and commit docs/import.md");
}

fn table() -> String {
    let text = fs::read_to_string(data("classes.txt")).expect("the list of classes");
    let mut out = String::from("\n| class | imported as |\n|---|---|\n");
    for class in text.lines() {
        let _ = match why_not(class) {
            Some(why) => writeln!(out, "| {class} | not: {why} |"),
            None => writeln!(out, "| {class} | {} |", names(class).join(", ")),
        };
    }
    out.push('\n');
    out
}

/// The ops that the file of a class becomes.
fn names(class: &str) -> Vec<String> {
    let groups = match class {
        "Compose" | "ReplayCompose" | "Sequential" => "`sequence`, or its ops alone",
        "OneOf" | "OneOrOther" => "`one_of`",
        "SomeOf" => "`some_of`",
        "RandomOrder" => "`random_order`",
        "NoOp" | "ToRGB" | "ToTensorV2" => "nothing",
        _ => "",
    };
    if !groups.is_empty() {
        return vec![groups.to_owned()];
    }
    let path = data(&format!("albumentations/{class}.json"));
    let (strict, loose) = (read(&path, false), read(&path, true));
    let mut names = Vec::new();
    collect(&ops(&loose), &mut names);
    names.dedup();
    if strict.report.unsupported.is_empty() {
        names
    } else {
        vec![format!("{} with `--approximate`", names.join(", "))]
    }
}

fn collect(ops: &Value, names: &mut Vec<String>) {
    for (name, fields) in ops.as_array().into_iter().flatten().filter_map(Value::as_object).flatten() {
        match fields.get("ops") {
            Some(inner) => collect(inner, names),
            None => names.push(format!("[`{name}`](ops.md#{name})")),
        }
    }
}

const BEGIN: &str = "<!-- classes -->";
const END: &str = "<!-- end of classes -->";
