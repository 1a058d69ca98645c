use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use feedline_proto::CONTRACT_REVISION;
use hdrhistogram::Histogram;

use super::figures::Figures;
use super::meter::Kind;
use super::plot::{Axis, Plot, Series, Shape};
use super::run::{Outcome, Point};
use crate::cli::Failure;

/// The report: one page that needs nothing else.
pub(super) fn page(figures: &Figures, outcome: &Outcome, server_version: &str) -> Result<String, Failure> {
    let mut rows = String::new();
    for (name, value) in figures.rows() {
        let class = if name == "errors" && !figures.errors.is_empty() { " class=\"bad\"" } else { "" };
        let _ = writeln!(rows, "<tr><td>{}</td><td{class}>{}</td></tr>", escaped(&name), escaped(&value));
    }
    let mut errors = String::new();
    if !outcome.totals.examples.is_empty() {
        let list = escaped(&outcome.totals.examples.join("\n"));
        let _ = writeln!(errors, "<h2>The first errors</h2>\n<pre>{list}</pre>");
    }
    let date = date(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
    let about = format!(
        "{date} · feedline {} with contract revision {CONTRACT_REVISION} on {} {} · server {server_version}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    Ok(filled(&[
        ("date", &date),
        ("about", &escaped(&about)),
        ("command", &escaped(&command_line(std::env::args_os().map(|word| word.to_string_lossy().into_owned())))),
        ("figures", &rows),
        ("errors", &errors),
        ("plots", &plots(outcome)),
        ("json", &escaped(&serde_json::to_string_pretty(figures).map_err(Failure::new)?)),
    ]))
}

/// The template with its gaps filled. What fills them is not looked through for gaps again.
fn filled(values: &[(&str, &str)]) -> String {
    let mut page = String::new();
    for (index, piece) in TEMPLATE.split("{{").enumerate() {
        match piece.split_once("}}").filter(|_| index > 0) {
            Some((name, rest)) => {
                let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
                page.push_str(value);
                page.push_str(rest);
            }
            None => page.push_str(piece),
        }
    }
    page
}

const TEMPLATE: &str = include_str!("page.html");

fn plots(outcome: &Outcome) -> String {
    let (timeline, seconds) = (&outcome.timeline, outcome.lasted.as_secs_f64());
    let rates = thinned(rates(timeline));
    let over_time = |title: &str, label: &str, points: Vec<(f64, f64)>| {
        let high = points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        let series = vec![Series { name: title.to_owned(), class: "first", shape: Shape::Line(points) }];
        Plot { title, x: Axis::exact("seconds", seconds), y: Axis::linear(label, high), series }.svg()
    };
    let at = |of: fn(&Point) -> Option<f64>| -> Vec<(f64, f64)> {
        thinned(timeline.iter().filter_map(|point| Some((point.at.as_secs_f64(), of(point)?))).collect())
    };
    let mut svg = over_time("Throughput", "images/s", rates);
    svg += &over_time("Clients with a stream", "clients", at(|point| Some(f64::from(point.streaming))));
    svg += &latency(outcome);
    svg += &shares(outcome);
    let memory = at(|point| point.memory.map(|bytes| bytes as f64 / f64::from(1 << 20)));
    if !memory.is_empty() {
        svg += &over_time("Memory of the server", "MiB", memory);
    }
    svg
}

/// Images per second between two looks at the counters, in their middle.
fn rates(timeline: &[Point]) -> Vec<(f64, f64)> {
    let pairs = timeline.windows(2).filter(|pair| pair[1].at.saturating_sub(pair[0].at) >= SHORTEST);
    pairs
        .map(|pair| {
            let [from, to] = [pair[0].at.as_secs_f64(), pair[1].at.as_secs_f64()];
            ((from + to) / 2.0, (pair[1].images - pair[0].images) as f64 / (to - from))
        })
        .collect()
}

/// Time between two looks that gives no rate worth drawing: the last one may be cut short.
const SHORTEST: Duration = Duration::from_millis(250);

/// The same curve with at most [`MOST_POINTS`] points, each the mean of its neighbours.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let group = points.len().div_ceil(MOST_POINTS).max(1);
    let mean = |points: &[(f64, f64)]| {
        let (x, y) = points.iter().fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
        (x / points.len() as f64, y / points.len() as f64)
    };
    points.chunks(group).map(mean).collect()
}

/// As many as there are pixels.
const MOST_POINTS: usize = 640;

/// Latency by percentile, of each kind of client.
fn latency(outcome: &Outcome) -> String {
    let of_kind = |kind: Kind| (kind, &outcome.totals.latency[kind as usize]);
    let kinds: Vec<_> = Kind::ALL.map(of_kind).into_iter().filter(|(_, histogram)| !histogram.is_empty()).collect();
    let most = kinds.iter().map(|(_, histogram)| histogram.len()).max().unwrap_or(0);
    // The curve ends where one batch alone is left.
    let nines = (most.max(10) as f64).log10().min(6.0);
    let (low, high) = kinds.iter().fold((f64::MAX, 0.0_f64), |(low, high), (_, histogram)| {
        (low.min(histogram.min_nz() as f64 / 1e3), high.max(histogram.max() as f64 / 1e3))
    });
    let series = kinds.into_iter().map(|(kind, histogram)| Series {
        name: format!("{} clients", kind.name()),
        class: class(kind),
        shape: Shape::Line(percentiles(histogram, nines)),
    });
    Plot {
        title: "Batch latency by percentile",
        x: Axis::percentiles("percentile", nines),
        y: Axis::decades_of_ms("time from asking to having", low.min(high), high),
        series: series.collect(),
    }
    .svg()
}

fn percentiles(histogram: &Histogram<u64>, nines: f64) -> Vec<(f64, f64)> {
    let last = nines.min((histogram.len().max(2) as f64).log10());
    let points = (0..=300).map(|index| last * f64::from(index) / 300.0);
    let value = |at: f64| histogram.value_at_quantile(1.0 - 10_f64.powf(-at)).max(1) as f64 / 1e3;
    points.map(|at| (at, value(at).log10())).collect()
}

/// Batches of every client, most first.
fn shares(outcome: &Outcome) -> String {
    let mut clients: Vec<(u64, Kind)> = outcome.records.iter().map(|record| (record.batches, record.kind)).collect();
    clients.sort_by_key(|(batches, kind)| (std::cmp::Reverse(*batches), *kind as usize));
    let most = clients.first().map_or(0, |(batches, _)| *batches);
    let bars = |kind: Kind| -> Vec<(f64, f64, f64)> {
        let of_kind = clients.iter().enumerate().filter(|(_, (_, other))| *other == kind);
        of_kind.map(|(index, (batches, _))| (index as f64, index as f64 + 1.0, *batches as f64)).collect()
    };
    let series = Kind::ALL.into_iter().map(|kind| (kind, bars(kind))).filter(|(_, bars)| !bars.is_empty());
    Plot {
        title: "Batches per client",
        x: Axis::exact("clients, sorted", clients.len() as f64),
        y: Axis::linear("batches", most as f64),
        series: series
            .map(|(kind, bars)| Series {
                name: format!("{} clients", kind.name()),
                class: class(kind),
                shape: Shape::Bars(bars),
            })
            .collect(),
    }
    .svg()
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Fast => "first",
        Kind::Slow => "second",
    }
}

/// Text as it may stand in an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter => safe.push(letter),
        }
    }
    safe
}

/// The command as it can be given again. The program goes by its name, wherever it lies.
fn command_line(args: impl Iterator<Item = String>) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./:,=[]%@+".contains(c));
    let quoted = |word: String| if plain(&word) { word } else { format!("'{}'", word.replace('\'', "'\\''")) };
    std::iter::once("feedline".to_owned()).chain(args.skip(1).map(quoted)).collect::<Vec<_>>().join(" ")
}

/// A time since 1970 as a date in UTC. (Days to civil dates as Howard Hinnant has it: years begin with March.)
fn date(since: Duration) -> String {
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_the_page_can_neither_end_an_element_nor_open_a_gap() {
        let page = filled(&[("command", &escaped("a <b> & \"c\" {{json}}")), ("json", "filled")]);
        assert!(page.contains("<pre>a &lt;b&gt; &amp; &quot;c&quot; {{json}}</pre>"), "{page}");
        assert!(page.contains("<pre>filled</pre>"));
    }

    #[test]
    fn the_command_can_be_given_again() {
        let args = ["/a/place/feedline", "loadtest", "127.0.0.1:1", "--split", "train[:80%]", "--name", "it's $x"];
        let line = command_line(args.into_iter().map(str::to_owned));
        assert_eq!(line, "feedline loadtest 127.0.0.1:1 --split train[:80%] --name 'it'\\''s $x'");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds: u64| date(Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00 UTC");
        assert_eq!(at(951_782_399), "2000-02-28 23:59 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(at(1_798_761_540), "2026-12-31 23:59 UTC");
    }

    #[test]
    fn a_long_test_is_drawn_with_as_many_points_as_there_is_room() {
        let points: Vec<(f64, f64)> = (0..100_000).map(|at| (f64::from(at), 5.0)).collect();
        let thinned = thinned(points);
        assert!(thinned.len() <= MOST_POINTS && thinned.len() > MOST_POINTS / 2, "{}", thinned.len());
        assert!(thinned.iter().all(|(_, value)| *value == 5.0));
        assert_eq!(super::thinned(vec![(1.0, 2.0)]), [(1.0, 2.0)]);
    }
}
