//! Models on the command line: `serve`, `pull`, `preview` and `explain`, with `--models`.

use std::path::{Path, PathBuf};

use feedline::decode::{Decoder, Limits};
use serde_json::Value;

use super::process::{Serving, ran, write_photographs};
use super::reference;

/// The photographs, and a pipeline that ends in a model.
fn dataset(model: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let (photographs, pipeline) = (folder.path().join("photographs"), folder.path().join("pipeline.toml"));
    write_photographs(&photographs);
    let ops = format!("ops = [{{ resize = {{ height = 40, width = 32 }} }}, {{ onnx = {{ model = \"{model}\" }} }}]\n");
    std::fs::write(&pipeline, ops).expect("writable");
    (folder, photographs, pipeline)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn explain_shows_what_a_served_model_makes() {
    let (folder, photographs, pipeline) = dataset("transfer.onnx");
    let models = reference::folder();
    let (explained, pulled) = (folder.path().join("explained"), folder.path().join("pulled"));
    let spec = ["--pipeline", text(&pipeline), "--order", "sequential", "--batch-size", "1"];
    let place = ["--sample", "2", "--json", "-o", text(&explained), "--models", text(&models)];
    let (code, out, log) = ran(&[&["explain", text(&photographs)], &spec[..], &place].concat());
    assert_eq!(code, 0, "{log}");
    let found: Value = serde_json::from_str(&out).expect("JSON");
    let last = &found["steps"][1];
    assert_eq!((&last["op"], &last["params"]), (&"onnx".into(), &Value::Null));
    let picture = std::fs::read(explained.join(last["picture"].as_str().expect("a name"))).expect("there");
    let shown = Decoder::new(Limits::default()).decode(&picture).expect("a PNG file").pixels;

    let server = Serving::start(&[text(&photographs), "--models", text(&models)]);
    let form = ["--dtype", "u8", "--layout", "nhwc", "--start", "0:2", "--count", "1", "-o", text(&pulled)];
    let (code, _, log) = ran(&[&["pull", &server.address], &spec[..], &form].concat());
    assert_eq!(code, 0, "{log}");
    let image = std::fs::read(pulled.join("0000-000002-image.npy")).expect("there");
    assert!(image.ends_with(&shown) && shown.len() == 40 * 32 * 3, "other pixels than the batch has");

    let record = explained.join("record.json");
    let replay = ["--sample", "2", "-o", text(&pulled), "--models", text(&models), "--replay", text(&record)];
    let (code, out, log) = ran(&[&["explain", text(&photographs)], &spec[..], &replay].concat());
    assert!(code == 0 && out.contains("replayed to the pixels that were recorded"), "{out}{log}");
}

#[test]
fn preview_draws_what_a_model_makes() {
    let (folder, photographs, pipeline) = dataset("transfer.onnx");
    let (sheet, models) = (folder.path().join("sheet.png"), reference::folder());
    let preview = |more: &[&str]| {
        let usual = ["preview", text(&photographs), "--pipeline", text(&pipeline), "--images", "2", "--versions", "1"];
        ran(&[&usual[..], &["-o", text(&sheet)], more].concat())
    };
    let (code, _, log) = preview(&["--models", text(&models)]);
    assert!(code == 0 && sheet.is_file(), "{log}");
    let (code, _, log) = preview(&[]);
    assert!(code == 2 && log.contains("onnx.model is \"transfer.onnx\"") && log.contains("--models"), "{log}");
    let (code, _, log) = preview(&["--models", text(&sheet)]);
    assert!(code == 2 && log.contains("sheet.png is no folder"), "{log}");
}

#[test]
fn a_model_that_fails_is_told_of_without_a_panic() {
    let (folder, photographs, pipeline) = dataset("late.onnx");
    let (out, models) = (folder.path().join("out"), reference::folder());
    let server = Serving::start(&[text(&photographs), "--models", text(&models)]);
    let (own, sheet) = (["--models", text(&models)], out.with_extension("png"));
    let usual = ["--pipeline", text(&pipeline)];
    let pull = ["pull", &server.address, "--count", "1", "--batch-size", "4"];
    let explain = ["explain", text(&photographs), "--sample", "0", "-o", text(&out), own[0], own[1]];
    let preview = ["preview", text(&photographs), "-o", text(&sheet), own[0], own[1]];
    for args in [&pull[..], &explain, &preview] {
        let (code, _, log) = ran(&[args, &usual].concat());
        let told = log.contains("op onnx failed: model late.onnx: ") && log.contains(".jpg");
        assert!(code != 0 && told && !log.contains("panic"), "{}, {code}: {log}", args[0]);
    }
    server.signal("TERM");
    let (status, _, log) = server.ended();
    assert!(status.success() && !log.iter().any(|line| line.contains("panic")), "{log:#?}");
}
