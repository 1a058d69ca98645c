//! Promise: a command that can't do what it was asked for says what is wrong and what to do, and its exit code says whose
//! fault it is: 1 it failed, 2 the command line, 3 the server refused, 4 no server answered.

#[path = "common/process.rs"]
mod process;

use std::path::Path;
use std::process::Command;

use process::{Serving, feedline, ran, write_photographs};

/// Runs the program, and checks its exit code, an empty standard output, and one message that has all of `says`.
fn fails(code: i32, args: &[&str], says: &[&str]) {
    let (found, out, log) = ran(&[args, &["--log", "error"]].concat());
    assert_eq!((found, out.as_str()), (code, ""), "{args:?}: {log}");
    assert!(
        log.starts_with("error: ") && log.lines().filter(|line| line.starts_with("error: ")).count() == 1,
        "{args:?}: {log}"
    );
    assert!(says.iter().all(|text| log.contains(text)), "{args:?} does not say {says:?}: {log}");
    assert!(!log.contains("panicked"), "{log}");
}

/// Writes a file and returns its path.
fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn folders_that_are_none_are_named_by_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_str().expect("UTF-8").to_owned();
    let notes = file(folder.path(), "some/notes.txt", "no image");
    let some = format!("{root}/some");
    std::fs::create_dir(folder.path().join("empty")).expect("a folder");
    for command in ["serve", "inspect", "verify", "bench", "preview"] {
        let run = |code, path: &str, says: &[&str]| {
            let pipeline: &[&str] = if command == "preview" { &["--pipeline", "none"] } else { &[] };
            fails(code, &[&[command, path], pipeline].concat(), says);
        };
        run(1, &format!("{root}/nothing"), &["no such folder: ", "/nothing"]);
        run(1, &notes, &["not a folder: ", "notes.txt", "a dataset is a folder of images"]);
        run(1, &format!("{root}/empty"), &["no images in ", "/empty", "it is empty"]);
        run(1, &some, &["no images in ", "notes.txt: not an image"]);
    }
}

#[test]
fn a_command_line_that_can_not_be_meant_ends_with_2() {
    for (args, says) in [
        (&["serve"][..], &["no dataset", "--config"][..]),
        (&["serve", "--frob"], &["unexpected argument '--frob'"]),
        (&["serve", "x", "--listen", "127.0.0.1:99999"], &["is no address, expected HOST:PORT or unix:PATH"]),
        (&["serve", "x", "--memory-budget", "8XB"], &["\"8XB\" is no number of bytes", "8GiB"]),
        (&["serve", "x", "--store", "disk"], &["expected encoded, decoded or auto"]),
        (&["pull"], &["<ADDRESS>"]),
        (&["pull", "nonsense"], &["\"nonsense\" is no address", "the port is missing"]),
        (&["pull", "x:1", "--start", "7"], &["expected EPOCH:STEP, such as 3:250"]),
        (&["pull", "x:1", "--batch-size", "0"], &["0 is not in 1.."]),
        (&["pull", "x:1", "--world-size", "0"], &["0 is not in 1.."]),
        (&["pull", "x:1", "--batch-size", "4000000000", "--world-size", "2"], &["--batch-size times --world-size"]),
        (&["pull", "x:1", "--count", "1", "--epochs", "1"], &["cannot be used with"]),
        (&["pull", "x:1", "--dtype", "float"], &["expected u8, f16, bf16 or f32"]),
        (&["pull", "x:1", "--mix", "both"], &["expected none, cutmix, mixup or mosaic"]),
        (&["frob"], &["unrecognized subcommand 'frob'"]),
    ] {
        fails(2, args, says);
    }
}

#[test]
fn mistakes_in_files_are_named_with_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let toml = |text: &str| file(folder.path(), "file.toml", text);
    let misspelt = toml("listen = [\"127.0.0.1:0\"]\nthreds = 3");
    fails(1, &["serve", "--config", &misspelt], &["file.toml", "line 2, column 1", "`threds`", "`threads`"]);
    let op = toml("[pipeline.p]\nops = [\n  { resize = { height = 64, widht = 3 } },\n]");
    fails(1, &["serve", "--config", &op], &["line 3, column 29", "unknown field `widht`", "`width`"]);
    let range = toml("[pipeline.p]\nops = [{ horizontal_flip = { p = 2.0 } }]");
    fails(
        1,
        &["serve", "--config", &range],
        &["pipeline.p: ops[0].horizontal_flip.p is 2, expected a number from 0 to 1"],
    );
    // All mistakes at once.
    let many = toml("listen = [\"nope\"]\nbatch_budget = \"8XB\"\n[limits]\nmax_sessions = 0");
    let says = ["no dataset", "listen: \"nope\" is no address", "batch_budget: \"8XB\"", "limits.max_sessions is 0"];
    fails(2, &["serve", "--config", &many], &says);
    let spec = toml("global_batch_size = 4\nordre = \"shuffled\"");
    fails(1, &["pull", "127.0.0.1:1", "--spec", &spec], &["line 2, column 1", "unknown field `ordre`", "`order`"]);
    let order = toml("order = \"shuffeld\"");
    fails(
        1,
        &["pull", "127.0.0.1:1", "--spec", &order],
        &["line 1, column 9", "unknown variant `shuffeld`", "`shuffled`"],
    );
    let ops = toml("ops = [{ horizontal_flop = {} }]");
    fails(
        1,
        &["pull", "127.0.0.1:1", "--pipeline", &ops],
        &["line 1, column 10", "horizontal_flop", "horizontal_flip"],
    );
    let missing = format!("{}.missing.toml", ops);
    for args in [&["serve", "--config", &missing], &["pull", "x:1", "--spec", &missing][..]] {
        fails(1, args, &["can't read ", "missing.toml", "No such file"]);
    }
}

#[test]
fn what_a_server_refuses_ends_with_3_and_where_there_is_none_with_4() {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(folder.path());
    let path = folder.path().to_str().expect("UTF-8");
    let server = Serving::start(&[path]);
    for (args, says) in [
        (&["--pipeline", "imagenet"][..], &["NotFound", "no pipeline \"imagenet\", there is imagenet-train"][..]),
        (&["--split", "test"], &["no split \"test\", there is train"]),
        (&["--dataset", "cats"], &["no dataset \"cats\", there is "]),
        (
            &["--rank", "2", "--world-size", "2", "--batch-size", "8"],
            &["InvalidArgument", "rank is 2, expected less than the world_size 2"],
        ),
        (&["--world-size", "3", "--global-batch-size", "64"], &["such as 63 or 66"]),
        (&["--start", "0:9"], &["delivery.start.step is 9, expected 0 to 1"]),
        (&["--global-batch-size", "4000", "--last-batch", "wrap"], &["ResourceExhausted", "bytes of one batch is"]),
    ] {
        fails(3, &[&["pull", &server.address, "--retry-for", "100000"], args].concat(), says);
    }
    // Its port is taken, for a folder that could be served.
    fails(
        1,
        &["serve", path, "--listen", &server.address],
        &["can't listen on ", &server.address, "another server has it"],
    );
    // And then nobody is there.
    let address = server.address.clone();
    server.signal("TERM");
    server.ended();
    fails(4, &["pull", &address, "--retry-for", "1"], &["no answer from ", &address, "for 1 s", "refused"]);
    fails(4, &["health", &address], &["no answer from ", &address, "refused"]);
    fails(4, &["inspect", "unix:/nowhere/socket"], &["no answer from unix:/nowhere/socket"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_leaves_no_half_of_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(&folder.path().join("photographs"));
    let path = folder.path().join("photographs");
    let server = Serving::start(&[path.to_str().expect("UTF-8")]);
    let out = folder.path().join("out");
    // No file may be longer than 64 blocks; the program is told so by the failure of its write.
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let output = Command::new("sh")
        .args(["-c", limited, env!("CARGO_BIN_EXE_feedline"), "pull", &server.address, "--count", "1", "-o"])
        .arg(&out)
        .output()
        .expect("a shell");
    let log = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("error: can't write ") && log.contains("0000-000000-image.npy"), "{log}");
    assert_eq!(std::fs::read_dir(&out).expect("made").count(), 0, "half of a file is left behind");
    // Nor may standard output be full in silence.
    let full = std::fs::File::options().write(true).open("/dev/full").expect("there");
    let pull = ["pull", &server.address, "--json", "--count", "1", "--log", "error"];
    let output = feedline(&pull).stdout(full).output().expect("the program starts");
    let log = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.starts_with("error: can't write to standard output: No space left on device"), "{log}");
}
