//! Promise: the load test runs real clients against a server, counts what came, checks it, and ends by itself.

#[path = "common/process.rs"]
mod process;

use std::path::Path;
use std::process::{Child, Stdio};

use process::{Serving, feedline, ran, write_photographs};
use serde_json::Value;

/// A server of the photographs: 96 samples.
fn serving() -> (tempfile::TempDir, Serving) {
    let folder = tempfile::tempdir().expect("a folder");
    write_photographs(folder.path());
    let server = Serving::start(&[folder.path().to_str().expect("UTF-8"), "--store", "encoded", "--threads", "2"]);
    (folder, server)
}

/// Runs the test for a while; returns its exit code, the last line of standard output, what is before it, and the log.
fn loaded(address: &str, args: &[&str]) -> (i32, Value, String, String) {
    let quick = ["--pipeline", "imagenet-eval", "--dtype", "u8", "--duration", "4"];
    let (code, out, log) = ran(&[&["loadtest", address], &quick[..], args].concat());
    let (table, last) = out.trim_end().rsplit_once('\n').unwrap_or(("", &out));
    (code, serde_json::from_str(last).expect("JSON last"), table.to_owned(), log)
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn ranks_that_are_slow_or_vanish_get_every_sample_once_and_all_of_it_is_counted() {
    let (_folder, server) = serving();
    let pid = server.id().to_string();
    let args =
        ["--clients", "4", "--batch-size", "4", "--slow", "0.25", "--slow-think", "40", "--vanish", "0.5", "--json"];
    let (code, figures, table, log) =
        loaded(&server.address, &[&args[..], &["--server-pid", &pid, "--warm-up", "1"]].concat());
    assert_eq!((code, table.as_str()), (0, ""), "{log}");
    assert_eq!(figures["errors"], serde_json::json!({}), "{log}");
    let expected = [
        "batches",
        "bytes",
        "clients",
        "clients_without_batch",
        "errors",
        "first_batch_ms",
        "images",
        "images_per_s",
        "interrupted",
        "kinds",
        "latency_ms",
        "load_cpu_s",
        "load_peak_memory_bytes",
        "longest_unanswered_s",
        "mb_per_s",
        "ranks",
        "retries",
        "seconds",
        "server",
        "unanswered",
        "vanished",
        "wait_share",
        "warm_up_s",
    ];
    assert_eq!(keys(&figures), expected);
    let batches = figures["batches"].as_u64().expect("a count");
    assert!(batches > 0, "{figures}");
    assert_eq!(figures["images"], batches * 4);
    // What came in the first second is not in the rate, unless the machine was too busy for a look after it. Numbers are rounded.
    let (warm_up, seconds) = (number(&figures["warm_up_s"]), number(&figures["seconds"]));
    let after = number(&figures["images_per_s"]) * (seconds - warm_up);
    assert!((warm_up >= 1.0 || warm_up == 0.0) && after <= number(&figures["images"]) + 0.5, "{figures}");
    // 4 images of 224x224x3 bytes, and their labels at the next multiple of 64.
    assert_eq!(figures["bytes"], batches * (4 * 224 * 224 * 3 + 64));
    let counted = |value: &Value| value["count"].as_u64().expect("a count");
    assert_eq!(counted(&figures["latency_ms"]) + counted(&figures["first_batch_ms"]), batches);
    let kinds = figures["kinds"].as_array().expect("a list");
    let of_kinds: Vec<_> = kinds.iter().map(|kind| (kind["kind"].as_str(), kind["clients"].as_u64())).collect();
    assert_eq!(of_kinds, [(Some("fast"), Some(3)), (Some("slow"), Some(1))]);
    assert_eq!(kinds.iter().filter_map(|kind| kind["batches"].as_u64()).sum::<u64>(), batches);
    for kind in kinds {
        assert!((0.0..=1.0).contains(&number(&kind["fairness"])), "{kind}");
    }
    for name in ["p50", "p90", "p99", "p99_9", "max"] {
        number(&figures["latency_ms"][name]);
        number(&figures["first_batch_ms"][name]);
    }
    for name in ["min", "median", "max"] {
        assert!((0.0..=1.0).contains(&number(&figures["wait_share"][name])), "{figures}");
    }
    if cfg!(target_os = "linux") {
        assert_eq!(keys(&figures["server"]), ["cpu_s", "cpu_s_per_gb", "memory_bytes", "peak_memory_bytes"]);
        assert!(number(&figures["server"]["peak_memory_bytes"]) >= number(&figures["server"]["memory_bytes"]));
    }
}

#[test]
fn clients_may_share_their_batches_or_have_trainings_of_their_own() {
    let (_folder, server) = serving();
    for ranks in ["shared", "separate"] {
        let (code, figures, table, log) =
            loaded(&server.address, &["--clients", "3", "--batch-size", "8", "--ranks", ranks]);
        assert_eq!((code, &figures["errors"]), (0, &serde_json::json!({})), "{ranks}: {log}");
        assert_eq!(figures["ranks"], ranks);
        assert!(figures["batches"].as_u64() > Some(0) && !keys(&figures).contains(&"server"), "{figures}");
        for name in ["images/s", "batch latency", "share of waiting", "fast clients", "errors", "none"] {
            assert!(table.contains(name), "no {name}: {table}");
        }
    }
}

#[test]
fn only_servers_of_this_machine_are_loaded_unless_it_is_meant() {
    for address in ["192.0.2.1:50051", "feedline.example:50051", "127.0.0.1:1,192.0.2.1:1"] {
        let (code, out, log) = ran(&["loadtest", address]);
        assert!(code == 2 && out.is_empty() && log.contains("--allow-remote"), "{address}: {log}");
    }
    // Linux takes 0.0.0.0 for this machine, the check does not; with the flag, whether anybody is there shows by asking.
    let any = "0.0.0.0:1";
    assert_eq!(ran(&["loadtest", any, "--retry-for", "0"]).0, 2);
    let (code, _, log) = ran(&["loadtest", any, "--allow-remote", "--retry-for", "0"]);
    assert!(code == 4 && log.contains("no answer from"), "{log}");
}

#[test]
fn what_can_not_succeed_is_told_before_any_client_starts() {
    let (_folder, server) = serving();
    let address = server.address.as_str();
    for (code, args, says) in [
        (2, &["127.0.0.1:1", "--clients", "0"][..], "0 is not in 1.."),
        (2, &["127.0.0.1:1", "--slow", "2"], "expected a fraction, 0 to 1"),
        (2, &["127.0.0.1:1", "--duration=-1"], "expected 0 to"),
        (2, &["127.0.0.1:1", "--duration", "0"], "--duration is 0"),
        (
            2,
            &["127.0.0.1:1", "--duration", "4", "--warm-up", "4"],
            "--warm-up is 4, expected less than the --duration, 4",
        ),
        (2, &["nonsense"], "is not of this machine"),
        (2, &["127.0.0.1"], "the port is missing"),
        (2, &["127.0.0.1:1", "--server-pid", "0"], "--server-pid 0"),
        (1, &["127.0.0.1:1", "--report", "no/such/folder/page.html"], "can't write no/such/folder/page.html"),
        (3, &[address, "--pipeline", "frob"], "frob"),
        (3, &[address, "--clients", "8", "--batch-size", "64"], "expected a global_batch_size of at most 96"),
        (4, &["127.0.0.1:1", "--retry-for", "0"], "no answer from 127.0.0.1:1"),
    ] {
        let (found, out, log) = ran(&[&["loadtest"], args].concat());
        assert!(found == code && out.is_empty() && log.contains(says), "{args:?}: {found}, {out}{log}");
    }
}

/// Starts a test that would go on for an hour, and waits until the server has its stream.
fn endless(server: &Serving, args: &[&str]) -> Child {
    let hour = ["loadtest", &server.address, "--duration", "3600", "--pipeline", "imagenet-eval", "--json"];
    let mut command = feedline(&[&hour[..], args].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    server.logged("loadtest-0");
    child
}

fn ended(child: Child) -> (Option<i32>, Value, String) {
    let output = child.wait_with_output().expect("it ends");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), serde_json::from_str(out.trim()).unwrap_or_else(|_| panic!("no JSON: {out}{log}")), log)
}

#[test]
fn it_ends_by_itself_when_the_server_is_gone() {
    let (_folder, server) = serving();
    let child = endless(&server, &["--clients", "2", "--batch-size", "4", "--ramp", "0", "--retry-for", "1"]);
    server.signal("KILL");
    let (code, figures, log) = ended(child);
    assert_eq!((code, &figures["errors"]), (Some(1), &serde_json::json!({ "unreachable": 2 })), "{log}");
    assert!(log.contains("no answer from") && log.contains("2 errors"), "{log}");
}

#[test]
fn a_signal_ends_it_with_the_figures_so_far() {
    let (_folder, server) = serving();
    let child = endless(&server, &["--clients", "1", "--batch-size", "4"]);
    let kill = format!("kill -TERM {}", child.id());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    let (code, figures, log) = ended(child);
    assert_eq!((code, &figures["interrupted"], &figures["clients"]), (Some(0), &true.into(), &1.into()), "{log}");
}

#[test]
fn the_report_is_one_page_that_needs_nothing_else() {
    let (folder, server) = serving();
    let path = folder.path().join("report.html");
    let (pid, file) = (server.id().to_string(), path.to_str().expect("UTF-8"));
    let args = ["--clients", "3", "--batch-size", "4", "--slow", "0.34", "--slow-think", "30", "--server-pid", &pid];
    let (code, _, _, log) = loaded(&server.address, &[&args[..], &["--report", file]].concat());
    assert_eq!(code, 0, "{log}");
    let page = std::fs::read_to_string(&path).expect("written");
    let body = page.strip_prefix("<!DOCTYPE html>\n").expect("a page of HTML");
    assert_eq!(well_formed(body), Ok(()));
    for reference in
        ["http:", "https:", "//", "url(", "@import", "<script", "<link", "<img", "<iframe", "src=", "href="]
    {
        assert!(!page.contains(reference), "the page refers to {reference}");
    }
    let plots = ["Throughput", "Clients with a stream", "Batch latency by percentile", "Batches per client"];
    for title in plots.iter().chain(cfg!(target_os = "linux").then_some(&"Memory of the server")) {
        assert!(page.contains(&format!("aria-label=\"{title}\"")), "no plot {title}");
    }
    for text in ["feedline loadtest 127.0.0.1", "slow clients", "prefers-color-scheme: dark", env!("CARGO_PKG_VERSION")]
    {
        assert!(page.contains(text), "no {text}");
    }
    assert!(!page.contains("NaN") && !page.contains("{{"), "{page}");
    assert!(Path::new(file).metadata().is_ok_and(|meta| meta.len() < 200_000), "a page of moderate size");
}

/// Whether every element is closed where it must be, every attribute is quoted, and no stray character is left.
fn well_formed(page: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for (index, piece) in page.split('<').enumerate() {
        let Some((tag, text)) = piece.split_once('>').filter(|_| index > 0) else {
            if index == 0 && piece.trim().is_empty() {
                continue;
            }
            return Err(format!("no tag: {piece:?}"));
        };
        let style = open.last() == Some(&"style");
        if !style && text.split('&').skip(1).any(|entity| entity.split_once(';').is_none_or(|(name, _)| name.len() > 5))
        {
            return Err(format!("a bare &: {text:?}"));
        }
        if text.contains('>') && !style {
            return Err(format!("a bare >: {text:?}"));
        }
        let name = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return Err(format!("</{closed}> closes nothing"));
            }
        } else if tag.matches('"').count() % 2 == 1
            || tag.matches('=').count() > tag.matches("=\"").count() + in_values(tag)
        {
            return Err(format!("an attribute without quotes: <{tag}>"));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("never closed: {open:?}")) }
}

/// Equals signs inside of the values of a tag.
fn in_values(tag: &str) -> usize {
    tag.split('"').skip(1).step_by(2).map(|value| value.matches('=').count()).sum()
}

#[test]
fn pages_that_are_not_well_formed_are_found() {
    assert_eq!(well_formed("<p class=\"a=b\">x &amp; y<br/></p>\n"), Ok(()));
    for wrong in
        ["<p>", "<p></q>", "<p class=x></p>", "<p>a & b</p>", "<p>a > b</p>", "<p class=\"x></p>", "text<p></p>"]
    {
        assert!(well_formed(wrong).is_err(), "{wrong}");
    }
}
