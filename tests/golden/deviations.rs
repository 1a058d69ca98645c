//! `docs/deviations.md`: how far each op is from each library that its golden cases come from, as measured.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use feedline::augment::catalogue;

/// How far one case is from its library.
#[derive(Clone, Debug)]
pub(crate) struct Deviation {
    /// The op that the case is of.
    pub(crate) op: String,
    /// Library and version.
    pub(crate) producer: String,
    /// Whether the result is floats; differences are fractions of their full scale then, and levels of 8 bits otherwise.
    pub(crate) floats: bool,
    /// Values of the result.
    pub(crate) values: usize,
    /// Largest difference.
    pub(crate) largest: f64,
    /// Sum of all differences.
    pub(crate) sum: f64,
    /// Values that differ by more than `tolerance`.
    pub(crate) beyond: usize,
    /// What the case allows.
    pub(crate) tolerance: f64,
}

/// All cases of one op, library and type.
#[derive(Default)]
struct Row {
    cases: usize,
    values: usize,
    largest: f64,
    sum: f64,
    beyond: usize,
    tolerance: f64,
}

/// The page.
pub(crate) fn page(deviations: &[Deviation]) -> String {
    let mut rows: BTreeMap<(&str, &str, bool), Row> = BTreeMap::new();
    for found in deviations {
        let row = rows.entry((&found.op, &found.producer, found.floats)).or_default();
        row.cases += 1;
        row.values += found.values;
        row.largest = row.largest.max(found.largest);
        row.sum += found.sum;
        row.beyond += found.beyond;
        row.tolerance = row.tolerance.max(found.tolerance);
    }
    let exact = rows.values().filter(|row| row.largest == 0.0).count();
    let mut out = String::from(HEAD);
    let (cases, all) = (deviations.len(), rows.len());
    let _ = write!(out, "{cases} cases; {exact} of {all} rows are exact.\n\n{TABLE}");
    for ((op, producer, floats), row) in rows {
        let (kind, mean) = (if floats { "floats" } else { "8 bits" }, row.sum / row.values.max(1) as f64);
        let beyond = if row.beyond == 0 {
            "0".to_owned()
        } else {
            format!("{:.2} %", 100.0 * row.beyond as f64 / row.values as f64)
        };
        // Cases of what belongs to no single op have folders of their own.
        let name = if catalogue::entry(op).is_some() { format!("[{op}](ops.md#{op})") } else { op.replace('_', " ") };
        let _ = writeln!(
            out,
            "| {name} | {producer} | {kind} | {} | {} | {} | {} | {beyond} |",
            row.cases,
            short(row.largest),
            short(mean),
            short(row.tolerance)
        );
    }
    out
}

/// A number in few places.
fn short(x: f64) -> String {
    match x {
        _ if x == x.trunc() => format!("{x}"),
        _ if x >= 0.01 => format!("{x:.2}"),
        _ => format!("{x:.1e}"),
    }
}

const HEAD: &str = "\
<!-- Written by tests/golden.rs; after a change of an op or of its golden cases run
     FEEDLINE_WRITE_DOCS=1 cargo test --test golden -->
# Deviations

How far every op is from the libraries that it is compared with, over all of its golden cases (`tests/data/golden`): differences of
single values, in levels for results of 8 bits, as fractions of the full scale for floats. The tolerance is the widest that a case of
the row allows; a few cases allow some of their values to be beyond theirs, as the last column counts. Cases are small and chosen to be
difficult: noise, single pixels, extremes, every value. An op of several conventions has rows of several libraries, each compared
with its own.

";

const TABLE: &str = "\
| op | library | values | cases | largest | mean | tolerance | beyond it |
|---|---|---|---|---|---|---|---|
";
