//! `feedline import` as a shell sees it.

use std::process::{Command, Output};

use super::*;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_feedline")).arg("import").args(arguments).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_exit_code_says_whether_all_was_imported() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad, out) =
        (folder.path().join("good.json"), folder.path().join("bad.json"), folder.path().join("out.toml"));
    fs::write(&good, saved(json!([{ "__class_fullname__": "VerticalFlip", "p": 0.5 }]))).expect("writable");
    let transforms =
        json!([{ "__class_fullname__": "VerticalFlip", "p": 0.5 }, { "__class_fullname__": "GlassBlur", "p": 1 }]);
    fs::write(&bad, saved(transforms)).expect("writable");
    let [good, bad, out] = [&good, &bad, &out].map(|path| path.to_str().expect("a name").to_owned());

    let output = run(&["albumentations", &good, "--output", &out]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""));
    let written = feedline::config::read_pipeline(Path::new(&out)).expect("a file for --pipeline");
    assert_eq!(written.ops.len(), 1);
    assert_eq!(text(&run(&["albumentations", &good]).stdout), fs::read_to_string(&out).expect("written"));

    let output = run(&["albumentations", &bad]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(1), ""), "nothing is written");
    let errors = text(&output.stderr);
    assert!(errors.contains("unsupported: transform.transforms[1].GlassBlur: GlassBlur: "), "{errors}");

    let output = run(&["albumentations", &bad, "--partial"]);
    assert_eq!(output.status.code(), Some(1));
    let partial: v1::Pipeline = toml::from_str(&text(&output.stdout)).expect("TOML");
    assert_eq!(partial, written);

    assert_eq!(run(&["keras", &good]).status.code(), Some(2));
    assert_eq!(run(&["albumentations", "no such file"]).status.code(), Some(1));
}

#[test]
fn a_loader_spec_is_written_where_it_is_asked_for() {
    let (file, out) = (data("annotations.json"), tempfile::tempdir().expect("a folder"));
    let (file, out) = (file.to_str().expect("a name"), out.path().join("spec.toml"));
    let out = out.to_str().expect("a name").to_owned();
    let output = run(&["albumentations", file]);
    assert!(output.status.success() && text(&output.stderr).contains("--spec writes a loader spec"));
    let output = run(&["albumentations", file, "--spec", "--output", &out]);
    assert!(output.status.success() && !text(&output.stderr).contains("--spec writes"), "{}", text(&output.stderr));
    let spec = feedline::config::read_spec(Path::new(&out)).expect("a file for --spec");
    assert_eq!(spec, read(&data("annotations.json"), false).loader_spec());
    assert_eq!(run(&["hf", file, "--model-config", file]).status.code(), Some(2));
}
