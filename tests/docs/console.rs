//! Commands of the documents with the output that stands below them, and the program to compare it with.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A command with the output that a document shows. A line of dots stands for any lines, a `…` for the rest of its line.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub(crate) command: &'a str,
    pub(crate) output: Vec<&'a str>,
}

/// The commands of a block of `console`.
pub(crate) fn shown(block: &str) -> Vec<Shown<'_>> {
    let mut all: Vec<Shown<'_>> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), _) => all.push(Shown { command, output: Vec::new() }),
            (None, Some(last)) => last.output.push(line),
            (None, None) => {}
        }
    }
    all
}

impl Shown<'_> {
    /// Whether its output is the same on every machine.
    pub(crate) fn is_repeatable(&self) -> bool {
        let plain = !self.command.contains('>') && !self.output.is_empty();
        let json = self.command.contains("--json");
        let begins = |name: &str| self.command.starts_with(&format!("feedline {name} "));
        plain && (begins("inspect") || begins("verify") || begins("ops") || (begins("pull") && json))
    }

    /// Runs it with the server's address in the place of the usual one; the difference, if there is one.
    pub(crate) fn difference(&self, address: &str) -> Option<String> {
        let words = self.command.split_whitespace().skip(1).map(|word| word.replace(USUAL, address));
        let run = program().args(words).stderr(Stdio::null()).output().expect("the program runs");
        let text = String::from_utf8(run.stdout).expect("text");
        let mut found = text.lines().peekable();
        let mut any = false;
        for line in &self.output {
            if line.trim() == "..." {
                any = true;
                continue;
            }
            let same = |found: &str| match line.split_once('…') {
                Some((start, _)) => found.starts_with(start),
                None => found == *line,
            };
            while any && found.peek().is_some_and(|found| !same(found)) {
                found.next();
            }
            match found.next() {
                Some(found) if same(found) => any = false,
                found => return Some(format!("$ {}\nshown: {line}\nfound: {found:?}", self.command)),
            }
        }
        let rest = found.next().filter(|_| !any)?;
        Some(format!("$ {}\nnot shown: {rest}", self.command))
    }
}

/// Address of the documents' server.
const USUAL: &str = "127.0.0.1:50051";

/// The documents' server, `feedline serve assets/demo`, at a free port; ends when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    pub(crate) fn start() -> Server {
        let mut command = program();
        command.args(["serve", "assets/demo", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program runs");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("text");
        let address = line.trim().strip_prefix("listening on ").expect("it says where it listens").to_owned();
        Server { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, run from the root of the repository.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_feedline"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}
