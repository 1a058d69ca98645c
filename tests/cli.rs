//! Promise: the command line does what its help says, tells failures apart by exit code, and prints what programs can read.

#[path = "common/process.rs"]
mod process;

#[path = "targets/batches.rs"]
#[allow(dead_code)]
mod batches;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use process::{Serving, feedline, ran, write_photographs};
use serde_json::Value;

/// A folder with the photographs in `photographs`.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("photographs");
    write_photographs(&path);
    (folder, path)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Each line of a text as JSON.
fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The lines of JSON of a command that succeeds.
fn lines(args: &[&str]) -> Vec<Value> {
    let (code, out, log) = ran(args);
    assert_eq!(code, 0, "{args:?}: {log}");
    json(&out)
}

fn numbers(value: &Value) -> Vec<i64> {
    value.as_array().expect("a list").iter().map(|x| x.as_i64().expect("a whole number")).collect()
}

/// Sample and label of every row of some lines of `pull --json`.
fn rows(lines: &[Value]) -> BTreeMap<i64, i64> {
    lines.iter().flat_map(|line| numbers(&line["samples"]).into_iter().zip(numbers(&line["labels"]))).collect()
}

fn is_png(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 10_000)
}

#[test]
fn every_command_has_help() {
    let (code, out, _) = ran(&["--help"]);
    assert!(code == 0 && out.contains("Start here:") && out.contains("Exit codes:"), "{out}");
    for command in [
        "demo", "serve", "inspect", "verify", "preview", "explain", "pull", "ops", "bench", "loadtest", "doctor",
        "health",
    ] {
        assert!(out.contains(&format!("\n  {command} ")), "--help does not name {command}");
        let (code, help, log) = ran(&[command, "--help"]);
        assert!(code == 0 && help.contains("Usage: feedline") && log.is_empty(), "{command}: {help}{log}");
    }
    let (code, out, _) = ran(&["--version"]);
    assert_eq!((code, out.trim()), (0, concat!("feedline ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn a_list_of_samples_is_read_from_a_file() {
    let (dir, path) = folder();
    let list = dir.path().join("list.txt");
    std::fs::write(&list, "40\n3\n17\n").expect("writable");
    let server = Serving::start(&[text(&path)]);
    let pull = [
        "pull",
        &server.address,
        "--pipeline",
        "imagenet-eval",
        "--order",
        "sequential",
        "--batch-size",
        "2",
        "--json",
    ];
    let got = lines(&[&pull[..], &["--indices", text(&list)]].concat());
    assert_eq!(got.iter().flat_map(|line| numbers(&line["samples"])).collect::<Vec<_>>(), [40, 3, 17]);
    // A file of a spec says the same.
    let spec = dir.path().join("spec.toml");
    std::fs::write(&spec, "subset = { indices = [40, 3, 17] }\n").expect("writable");
    assert_eq!(lines(&[&pull[..], &["--spec", text(&spec)]].concat()), got);
    std::fs::write(&list, "40\nthree\n").expect("writable");
    let (code, _, log) = ran(&[&pull[..], &["--indices", text(&list)]].concat());
    assert!(code == 2 && log.contains("line 2 is \"three\", expected a sample's index"), "{code}: {log}");
}

#[test]
fn the_demo_serves_four_clients_and_draws_a_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let sheet = folder.path().join("sheet.png");
    let figures = lines(&["demo", "--json", "-o", text(&sheet)]).remove(0);
    assert_eq!(figures["exactly_once"], true);
    for (name, expected) in [("clients", 4), ("epochs", 2), ("samples", 96), ("batches", 4 * 2 * 3)] {
        assert_eq!(figures[name], expected, "{name}");
    }
    for name in ["images_per_s", "mb_per_s", "first_batch_s", "decode_s", "augment_s", "collate_s"] {
        assert!(figures[name].as_f64().is_some_and(|x| x > 0.0), "{name}: {figures}");
    }
    assert_eq!(figures["contact_sheet"], text(&sheet));
    assert!(is_png(&sheet));
}

#[test]
fn inspect_shows_the_same_of_a_folder_and_of_its_server() {
    let (_folder, path) = folder();
    std::fs::write(path.join("notes.txt"), "no image").expect("a file");
    let server = Serving::start(&[text(&path)]);
    let (of_folder, of_server) = (
        lines(&["inspect", "--json", text(&path)]).remove(0),
        lines(&["inspect", "--json", &server.address]).remove(0),
    );
    for found in [&of_folder, &of_server] {
        assert_eq!((&found["name"], &found["splits"][0]["samples"]), (&"photographs".into(), &96.into()));
        assert_eq!(numbers(&found["splits"][0]["class_samples"]), [16; 6]);
        assert_eq!(found["splits"][0]["smallest"]["width"], 256);
    }
    assert_eq!(of_folder["splits"][0]["formats"]["jpeg"], 96);
    assert_eq!(of_folder["ignored"][0]["path"], "notes.txt");
    assert_eq!(of_server["fingerprint"].as_str().map(str::len), Some(32));
    let (_, out, _) = ran(&["inspect", text(&path)]);
    for line in ["dataset photographs", "train: 96 samples", "notes.txt: not an image"] {
        assert!(out.contains(line), "{out}");
    }
}

#[test]
fn verify_lists_what_is_damaged_and_tells_by_its_exit_code() {
    let (_folder, path) = folder();
    let summary = lines(&["verify", "--json", text(&path)]).remove(0);
    assert_eq!((&summary["samples"], &summary["sound"]), (&96.into(), &96.into()));
    let victim = path.join("cat/03.jpg");
    let bytes = std::fs::read(&victim).expect("there");
    std::fs::write(&victim, &bytes[..bytes.len() / 2]).expect("writable");
    let (code, out, log) = ran(&["verify", "--json", text(&path)]);
    let [finding, summary] = &json(&out)[..] else { panic!("{out}") };
    assert_eq!((code, &finding["key"], &finding["verdict"]), (1, &"cat/03.jpg".into(), &"damaged".into()));
    assert!(finding["cause"].as_str().is_some_and(|cause| !cause.is_empty()));
    assert_eq!((&summary["sound"], &summary["damaged"]), (&95.into(), &1.into()));
    assert!(!log.contains("error:"), "what was found is on standard output: {log}");
    let (code, out, _) = ran(&["verify", text(&path)]);
    assert!(code == 1 && out.contains("damaged  cat/03.jpg: ") && out.contains("96 samples: 95 sound"), "{out}");
}

#[test]
fn verify_decodes_masks_and_says_where_the_manifest_names_a_wrong_one() {
    let (folder, gray) = (tempfile::tempdir().expect("a folder"), png::ColorType::Grayscale);
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).expect("written");
    let verified = |more: &[&str]| ran(&[&["verify", text(folder.path())], more].concat());
    let whole = batches::png(20, 10, gray, &(0..200).collect::<Vec<u8>>());
    for name in ["a", "b", "c", "d", "e"] {
        write(&format!("{name}.png"), &batches::png(20, 10, png::ColorType::Rgb, &[50; 600]));
        write(&format!("{name}-mask.png"), &whole);
    }
    let line = |name: &str| format!(r#"{{"file": "{name}.png", "mask": "{name}-mask.png"}}"#);
    let manifest =
        [r#"{"manifest": 1}"#.to_owned(), line("e"), line("d"), line("c"), String::new(), line("b"), line("a")];
    write("train.jsonl", manifest.join("\n").as_bytes());
    let (code, out, _) = verified(&[]);
    assert!(code == 0 && out.contains("5 masks: 5 sound, 0 damaged"), "{out}");

    // Only decoding finds this one: its header is whole.
    write("b-mask.png", &whole[..whole.len() - 30]);
    write("c-mask.png", &batches::png(5, 4, gray, &[1; 20]));
    write("d-mask.png", &batches::png(20, 10, png::ColorType::Rgb, &[9; 600]));
    std::fs::remove_file(folder.path().join("e-mask.png")).expect("there");
    let (code, out, log) = verified(&["--json"]);
    let [b, c, d, e, summary] = &json(&out)[..] else { panic!("{out}") };
    for (finding, name, line, verdict, cause) in [
        (b, "b", 6, "damaged", ""),
        (c, "c", 4, "damaged", "is of 5x4, expected 20x10 as its image"),
        (d, "d", 3, "damaged", "a mask is gray or palette"),
        (e, "e", 2, "unreadable", "No such file"),
    ] {
        assert_eq!((&finding["key"], &finding["verdict"]), (&format!("{name}-mask.png").into(), &verdict.into()));
        assert_eq!((&finding["mask_of"], &finding["line"]), (&format!("{name}.png").into(), &line.into()));
        assert!(finding["manifest"].as_str().is_some_and(|path| path.ends_with("train.jsonl")), "{finding}");
        assert!(finding["cause"].as_str().is_some_and(|own| !own.is_empty() && own.contains(cause)), "{finding}");
    }
    assert_eq!(
        (code, &summary["samples"], &summary["sound"], &summary["damaged"]),
        (1, &5.into(), &5.into(), &0.into())
    );
    let masks = ["total", "sound", "damaged", "too_large", "unreadable"].map(|name| summary["masks"][name].as_u64());
    assert_eq!(masks, [5, 1, 3, 0, 1].map(Some), "{log}");
    let (_, out, _) = verified(&[]);
    assert!(out.contains("damaged  c-mask.png: is of 5x4") && out.contains("train.jsonl:4)"), "{out}");
    assert!(
        out.contains("5 samples: 5 sound") && out.contains("5 masks: 1 sound, 3 damaged, 0 too large, 1 unread"),
        "{out}"
    );
    let (_, out, _) = verified(&["--max-pixels", "100"]);
    assert!(out.contains("5 samples: 0 sound (0 with warnings), 0 damaged, 5 too large"), "{out}");
    // A mask of another size is held against a header, if the image can't be decoded.
    write("c.png", &batches::png(20, 10, png::ColorType::Rgb, &[7; 600])[..60]);
    let (_, out, _) = verified(&[]);
    assert!(out.contains("damaged  c.png: ") && out.contains("c-mask.png: is of 5x4"), "{out}");
}

#[test]
fn preview_draws_what_a_pipeline_does() {
    let (folder, path) = folder();
    let ops = folder.path().join("ops.toml");
    std::fs::write(&ops, "ops = [{ resize = { height = 64, width = 64 } }, { horizontal_flip = {} }]").expect("a file");
    for (pipeline, name) in [("imagenet-train", "a.png"), (text(&ops), "b.png")] {
        let sheet = folder.path().join(name);
        let (code, out, log) = ran(&[
            "preview",
            text(&path),
            "--pipeline",
            pipeline,
            "-o",
            text(&sheet),
            "--images",
            "3",
            "--versions",
            "2",
        ]);
        assert_eq!((code, out.trim()), (0, text(&sheet)), "{log}");
        assert!(is_png(&sheet));
    }
    let (code, _, log) = ran(&["preview", text(&path), "--pipeline", "imagenet"]);
    assert!(code == 2 && log.contains("no preset \"imagenet\", there is imagenet-train"), "{log}");
}

#[test]
fn two_ranks_pull_every_sample_once_with_its_own_label() {
    let (folder, path) = folder();
    let server = Serving::start(&[text(&path)]);
    let ops = folder.path().join("ops.toml");
    std::fs::write(&ops, "ops = [{ resize = { height = 16, width = 16 } }]").expect("a file");
    let expected: BTreeMap<i64, i64> = (0..96).map(|sample| (sample, sample / 16)).collect();
    // The labels of mixed rows are soft; what is printed is the row's own class.
    for mix in ["none", "cutmix", "mixup", "mosaic"] {
        let mut all = Vec::new();
        for rank in ["0", "1"] {
            let args = ["pull", &server.address, "--json", "--world-size", "2", "--rank", rank, "--batch-size", "10"];
            let spec = ["--pipeline", text(&ops), "--last-batch", "short", "--mix", mix];
            all.extend(lines(&[&args[..], &spec].concat()));
        }
        let count: usize = all.iter().map(|line| numbers(&line["samples"]).len()).sum();
        assert_eq!((all.len(), count, rows(&all)), (10, 96, expected.clone()), "{mix}");
    }
}

#[test]
fn pull_starts_and_ends_where_it_is_told_to() {
    let (folder, path) = folder();
    let server = Serving::start(&[text(&path)]);
    let spec = folder.path().join("spec.toml");
    let toml = "split = \"train\"\nglobal_batch_size = 48\nseed = 3\n\
                pipeline = { ops = [{ resize = { height = 16, width = 16 } }] }";
    std::fs::write(&spec, toml).expect("a file");
    let pull = |args: &[&str]| {
        let lines = lines(&[&["pull", &server.address, "--json", "--spec", text(&spec)], args].concat());
        let at = |line: &Value| (line["epoch"].as_i64(), line["step"].as_i64());
        let hash = |line: &Value| line["sha256"].as_str().expect("a hash").to_owned();
        lines.iter().map(|line| (at(line), hash(line), numbers(&line["samples"]).len())).collect::<Vec<_>>()
    };
    let epochs = pull(&["--epochs", "2"]);
    let places: Vec<_> = epochs.iter().map(|line| (line.0.0.expect("set"), line.0.1.expect("set"), line.2)).collect();
    assert_eq!(places, [(0, 0, 48), (0, 1, 48), (1, 0, 48), (1, 1, 48)]);
    assert!(epochs[0].1.len() == 64 && epochs[0].1 != epochs[1].1);
    assert_eq!(pull(&["--start", "0:1", "--count", "2"]), epochs[1..3]);
    assert_eq!(pull(&["--start", "1:1"]), epochs[3..]);
    assert_eq!(pull(&["--count", "0"]), []);
    // Flags go before the file.
    let other = pull(&["--global-batch-size", "32", "--seed", "4"]);
    assert_eq!((other.len(), other[0].2), (3, 32));
    assert_ne!(pull(&["--seed", "4"])[0].1, epochs[0].1);
}

/// Shape and data of a NumPy file.
fn npy(path: &Path) -> (String, Vec<u8>) {
    let bytes = std::fs::read(path).expect("there");
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    (String::from_utf8(bytes[10..end].to_vec()).expect("ASCII"), bytes[end..].to_vec())
}

#[test]
fn pull_writes_tensors_that_numpy_reads() {
    let (folder, path) = folder();
    let server = Serving::start(&[text(&path)]);
    let out = folder.path().join("out/tensors");
    let pull = ["pull", &server.address, "--batch-size", "4", "--count", "2", "-o", text(&out)];
    let (code, printed, log) = ran(&[&pull[..], &["--dtype", "u8", "--layout", "nhwc"]].concat());
    assert_eq!((code, printed.as_str()), (0, ""), "{log}");
    assert!(log.contains("images=8") && log.contains("next=0:2"), "{log}");
    let mut names: Vec<_> =
        std::fs::read_dir(&out).expect("made").map(|entry| entry.expect("read").file_name()).collect();
    names.sort();
    let expected = ["0000-000000-image.npy", "0000-000000-label.npy", "0000-000001-image.npy", "0000-000001-label.npy"];
    assert_eq!(names, expected);
    let (header, data) = npy(&out.join("0000-000001-image.npy"));
    assert!(header.starts_with("{'descr': '|u1', 'fortran_order': False, 'shape': (4, 224, 224, 3), }"), "{header}");
    assert_eq!(data.len(), 4 * 224 * 224 * 3);
    let (header, data) = npy(&out.join("0000-000000-label.npy"));
    assert!(header.contains("'<i8'") && header.contains("(4,)") && data.len() == 32, "{header}");
    let (code, _, log) = ran(&[&pull[..], &["--dtype", "bf16"]].concat());
    assert!(code == 2 && log.contains("bf16 has no type in .npy files"), "{log}");
}

#[test]
fn bench_measures_the_engine_alone() {
    let (_folder, path) = folder();
    let figures = lines(&["bench", text(&path), "--seconds", "0.2", "--json", "--batch-size", "4"]).remove(0);
    let positive =
        ["images_per_s", "mb_per_s", "decode_only_images_per_s", "seconds", "images", "batches", "augment_s"];
    for name in positive {
        assert!(figures[name].as_f64().is_some_and(|x| x > 0.0), "{name}: {figures}");
    }
    let (code, out, _) = ran(&["bench", text(&path), "--seconds", "0.1", "--batch-size", "4"]);
    let last: Value = serde_json::from_str(out.lines().last().expect("lines")).expect("JSON after the table");
    assert!(code == 0 && last["images"].is_u64(), "{out}");
}

#[test]
fn serve_prints_one_line_that_others_can_wait_for() {
    let (_folder, path) = folder();
    let server = Serving::start(&[&format!("dogs={}", text(&path))]);
    let (code, out, _) = ran(&["health", &server.address]);
    assert_eq!((code, out.as_str()), (0, "serving\n"));
    assert_eq!(lines(&["inspect", "--json", &server.address])[0]["name"], "dogs");
    let address = server.address.clone();
    server.signal("INT");
    let (status, out, log) = server.ended();
    assert_eq!((status.code(), out), (Some(0), vec![format!("listening on {address}")]), "{log:#?}");
    let (code, _, log) = ran(&["health", &address]);
    assert!(code == 4 && log.contains("no answer from"), "{log}");
}

#[test]
fn a_reader_that_has_enough_ends_a_command_quietly() {
    let (_folder, path) = folder();
    let server = Serving::start(&[text(&path)]);
    let endless = ["pull", &server.address, "--json", "--epochs", "100000", "--batch-size", "1", "--log", "warn"];
    let mut child =
        feedline(&endless).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert_eq!(json(&line).len(), 1);
    drop(out);
    let mut log = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut log).expect("UTF-8");
    assert_eq!((child.wait().expect("a child").code(), log.as_str()), (Some(0), ""));
    // Nobody ever reads: no command panics at that.
    let verify = ["verify", text(&path)];
    let (inspect, health) = (["inspect", text(&path)], ["health", &server.address]);
    for args in [&verify, &inspect, &health] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output =
            feedline(&[&args[..], &["--log", "off"]].concat()).stdout(writer).output().expect("the program starts");
        let log = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), log.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn what_is_made_ahead_changes_no_batch() {
    let (_folder, path) = folder();
    let server = Serving::start(&[text(&path)]);
    let usual = ["pull", &server.address, "--batch-size", "8", "--count", "5", "--json"];
    let pull = |more: &[&str]| ran(&[&usual, more].concat());
    let (code, lines, log) = pull(&[]);
    assert_eq!((code, lines.lines().count()), (0, 5), "{log}");
    assert_eq!(pull(&["--prefetch", "1KiB"]).1, lines);
    let (code, _, log) = pull(&["--prefetch", "much"]);
    assert!(code == 2 && log.contains("--prefetch <SIZE>"), "{code}: {log}");
}

/// The program's allocator forbids huge pages to the process, and the program allows them again.
#[cfg(target_os = "linux")]
#[test]
fn the_program_may_have_huge_pages() {
    let allowed = |process: String| {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a live process");
        // Linux before 5.0 does not say.
        status.lines().find_map(|line| line.strip_prefix("THP_enabled:")).map(|value| value.trim().to_owned())
    };
    let (_folder, path) = folder();
    let server = Serving::start(&[text(&path)]);
    // Kernels can be built without.
    let there_are = Path::new("/sys/kernel/mm/transparent_hugepage").exists();
    let expected = allowed("self".into()).map(|_| String::from(if there_are { "1" } else { "0" }));
    assert_eq!(allowed(server.id().to_string()), expected);
}
