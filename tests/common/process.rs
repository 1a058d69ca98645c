//! The real program as a child process: started, listened to, stopped.
#![allow(dead_code, unreachable_pub)] // Every test file uses another part of it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Longer than anything here takes on the slowest machine; only a failure comes to it.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// The program, with `args`.
pub fn feedline(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedline"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub fn run(args: &[&str]) -> Output {
    feedline(args).output().expect("the program starts")
}

/// Runs the program to its end and returns exit code, standard output and standard error.
pub fn ran(args: &[&str]) -> (i32, String, String) {
    let output = run(args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// Writes the bundled photographs as a folder of class folders.
pub fn write_photographs(folder: &Path) {
    for (key, bytes) in feedline::demo::photographs() {
        let path = folder.join(key);
        std::fs::create_dir_all(path.parent().expect("a class")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
}

/// Lines that a child has written so far.
#[derive(Clone, Default)]
struct Lines(Arc<(Mutex<Written>, Condvar)>);

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    ended: bool,
}

impl Lines {
    /// Reads `from` on a thread of its own, to its end.
    fn of(from: impl Read + Send + 'static) -> Lines {
        let lines = Lines::default();
        let writer = lines.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                writer.0.0.lock().expect("no panic").lines.push(line);
                writer.0.1.notify_all();
            }
            writer.0.0.lock().expect("no panic").ended = true;
            writer.0.1.notify_all();
        });
        lines
    }

    /// The first line that `wanted` takes, waiting for it.
    fn find(&self, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + DEADLINE;
        let mut state = self.0.0.lock().expect("no panic");
        loop {
            if let Some(line) = state.lines.iter().find(|line| wanted(line)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!state.ended && !left.is_zero(), "the line never came; there are {:#?}", state.lines);
            state = self.0.1.wait_timeout(state, left).expect("no panic").0;
        }
    }

    /// All lines, when there will be no more.
    fn all(&self) -> Vec<String> {
        let state = self.0.0.lock().expect("no panic");
        let (state, _) = self.0.1.wait_timeout_while(state, DEADLINE, |state| !state.ended).expect("no panic");
        assert!(state.ended, "the process does not end; it wrote {:#?}", state.lines);
        state.lines.clone()
    }
}

/// A server that runs as a process of its own; killed when dropped.
pub struct Serving {
    child: Child,
    /// Where it listens.
    pub address: String,
    out: Lines,
    log: Lines,
}

impl Serving {
    /// Starts `feedline serve` with `args` on a free port (or where they say), and waits until it can be used.
    pub fn start(args: &[&str]) -> Serving {
        let mut all = vec!["serve"];
        if !args.contains(&"--listen") {
            all.extend(["--listen", "127.0.0.1:0"]);
        }
        all.extend(args);
        let mut command = feedline(&all);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (out, log) =
            (Lines::of(child.stdout.take().expect("piped")), Lines::of(child.stderr.take().expect("piped")));
        let line = out.find(|_| true);
        let address = line.strip_prefix("listening on ").expect("the address comes first").to_owned();
        Serving { child, address, out, log }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The first line of its log that has `text`, waiting for it.
    pub fn logged(&self, text: &str) -> String {
        self.log.find(|line| line.contains(text))
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success());
    }

    /// Waits for its end; returns how it ended, its standard output and its log.
    pub fn ended(mut self) -> (ExitStatus, Vec<String>, Vec<String>) {
        // Both pipes end with the process, or before it.
        let (out, log) = (self.out.all(), self.log.all());
        (self.child.wait().expect("a child"), out, log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
