use std::fmt::Write;

use super::page::escaped;

/// A plot as SVG, without colours: classes name them, and the page's style decides, for light and for dark.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    pub(super) x: Axis,
    pub(super) y: Axis,
    pub(super) series: Vec<Series>,
}

/// An axis from `low` to `high`. A logarithmic one is one of logarithms: its ticks say what they stand for.
pub(super) struct Axis {
    pub(super) label: String,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

/// Points of one kind.
pub(super) struct Series {
    /// For the legend.
    pub(super) name: String,
    /// Its colour: `first` or `second`.
    pub(super) class: &'static str,
    pub(super) shape: Shape,
}

pub(super) enum Shape {
    /// A line through points.
    Line(Vec<(f64, f64)>),
    /// A bar from one x to another, of a height.
    Bars(Vec<(f64, f64, f64)>),
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;

impl Axis {
    /// From 0 to at least `high`, with round ticks.
    pub(super) fn linear(label: &str, high: f64) -> Axis {
        let high = if high.is_finite() && high > 0.0 { high } else { 1.0 };
        let step = round_step(high / 5.0);
        let count = (high / step).ceil() as u32;
        let tick = |index: u32| (f64::from(index) * step, number(f64::from(index) * step));
        Axis {
            label: label.to_owned(),
            low: 0.0,
            high: f64::from(count) * step,
            ticks: (0..=count).map(tick).collect(),
        }
    }

    /// The same, that ends where the values do.
    pub(super) fn exact(label: &str, high: f64) -> Axis {
        let mut axis = Axis::linear(label, high);
        if high.is_finite() && high > 0.0 {
            axis.high = high;
            axis.ticks.retain(|(at, _)| *at <= high);
        }
        axis
    }

    /// Decades around milliseconds from `low` to `high`. Points on it are logarithms to base 10.
    pub(super) fn decades_of_ms(label: &str, low: f64, high: f64) -> Axis {
        let low = low.max(1e-3).log10().floor();
        let high = high.max(1e-3).log10().ceil().max(low + 1.0);
        let text = |power: i32| {
            if power >= 3 { format!("{} s", 10_f64.powi(power - 3)) } else { format!("{} ms", 10_f64.powi(power)) }
        };
        let ticks = (low as i32..=high as i32).map(|power| (f64::from(power), text(power))).collect();
        Axis { label: label.to_owned(), low, high, ticks }
    }

    /// Percentiles up to that of one in 10^`nines`: a quantile q stands at -log10(1 - q), so that each nine takes as much room.
    pub(super) fn percentiles(label: &str, nines: f64) -> Axis {
        let text = |nine: u32| match nine {
            0 => "0".to_owned(),
            1 => "90".to_owned(),
            2 => "99".to_owned(),
            more => format!("99.{}", "9".repeat(more as usize - 2)),
        };
        let ticks = (0..=nines.floor() as u32).map(|nine| (f64::from(nine), text(nine)));
        let median = [(2_f64.log10(), "50".to_owned())];
        Axis { label: label.to_owned(), low: 0.0, high: nines.max(1.0), ticks: ticks.chain(median).collect() }
    }

    fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

impl Plot<'_> {
    pub(super) fn svg(&self) -> String {
        let x = |value: f64| LEFT + self.x.share(value) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - self.y.share(value) * (HEIGHT - TOP - BOTTOM);
        let (bottom, title) = (HEIGHT - BOTTOM, escaped(self.title));
        let mut svg = format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"18\">{title}</text>\n"
        );
        for (at, text) in &self.y.ticks {
            let (at, text) = (y(*at), escaped(text));
            put(
                &mut svg,
                format_args!(
                    "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{}\" y2=\"{at:.1}\"/>",
                    WIDTH - RIGHT
                ),
            );
            put(
                &mut svg,
                format_args!("<text class=\"tick end\" x=\"{}\" y=\"{:.1}\">{text}</text>", LEFT - 8.0, at + 4.0),
            );
        }
        for (at, text) in &self.x.ticks {
            let (at, text) = (x(*at), escaped(text));
            put(
                &mut svg,
                format_args!(
                    "<line class=\"axis\" x1=\"{at:.1}\" y1=\"{bottom}\" x2=\"{at:.1}\" y2=\"{}\"/>",
                    bottom + 4.0
                ),
            );
            put(
                &mut svg,
                format_args!("<text class=\"tick middle\" x=\"{at:.1}\" y=\"{}\">{text}</text>", bottom + 17.0),
            );
        }
        put(
            &mut svg,
            format_args!(
                "<line class=\"axis\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{}\" y2=\"{bottom}\"/>",
                WIDTH - RIGHT
            ),
        );
        let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
        put(
            &mut svg,
            format_args!(
                "<text class=\"label middle\" x=\"{middle}\" y=\"{}\">{}</text>",
                HEIGHT - 8.0,
                escaped(&self.x.label)
            ),
        );
        put(
            &mut svg,
            format_args!(
                "<text class=\"label end\" x=\"{}\" y=\"18\">{}</text>",
                WIDTH - RIGHT,
                escaped(&self.y.label)
            ),
        );
        for series in &self.series {
            let (class, path) = (series.class, series.shape.path(&x, &y));
            let kind = if matches!(series.shape, Shape::Line(_)) { "line" } else { "bars" };
            put(
                &mut svg,
                format_args!(
                    "<path class=\"{kind} {class}\" d=\"{path}\"><title>{}</title></path>",
                    escaped(&series.name)
                ),
            );
        }
        self.legend(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    /// What the colours mean, if there is more than one.
    fn legend(&self, svg: &mut String) {
        for (index, series) in self.series.iter().enumerate().filter(|_| self.series.len() > 1) {
            let (left, class) = (LEFT + 12.0 + 110.0 * index as f64, series.class);
            put(
                svg,
                format_args!(
                    "<rect class=\"bars {class}\" x=\"{left}\" y=\"{}\" width=\"10\" height=\"10\"/>",
                    TOP + 4.0
                ),
            );
            put(
                svg,
                format_args!(
                    "<text class=\"tick\" x=\"{}\" y=\"{}\">{}</text>",
                    left + 15.0,
                    TOP + 13.0,
                    escaped(&series.name)
                ),
            );
        }
    }
}

impl Shape {
    fn path(&self, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
        let mut path = String::new();
        match self {
            Shape::Line(points) => {
                for (index, (at, value)) in points.iter().enumerate() {
                    let command = if index == 0 { 'M' } else { 'L' };
                    put(&mut path, format_args!("{command}{:.1} {:.1}", x(*at), y(*value)));
                }
            }
            Shape::Bars(bars) => {
                for (from, to, value) in bars {
                    let (from, to, top, bottom) = (x(*from), x(*to), y(*value), HEIGHT - BOTTOM);
                    // Bars that are wide enough stand apart.
                    let to = if to - from > 4.0 { to - 1.5 } else { to };
                    put(&mut path, format_args!("M{from:.2} {bottom}V{top:.1}H{to:.2}V{bottom}Z"));
                }
            }
        }
        path
    }
}

/// A line more. Writing into a string does not fail.
fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

/// The next of 1, 2 and 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|step| step * power).into_iter().find(|step| *step >= least * 0.999).unwrap_or(least)
}

/// A number with a unit's prefix, without needless digits.
fn number(value: f64) -> String {
    let (value, suffix) = match value {
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e4 => (value / 1e3, "k"),
        value => (value, ""),
    };
    // Steps are of one digit, so that three behind the point are enough for all that is below 10,000.
    let text = format!("{value:.3}");
    format!("{}{suffix}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_with_four_to_ten_steps() {
        for high in [0.003, 0.7, 1.0, 3.0, 9.99, 12.0, 480.0, 1e6, 7.3e9] {
            let axis = Axis::linear("", high);
            assert!(axis.high >= high * 0.999 && axis.high <= high * 1.5, "{high}: {}", axis.high);
            assert!((4..=11).contains(&axis.ticks.len()), "{high}: {:?}", axis.ticks);
        }
        for none in [0.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Axis::linear("", none).high, 1.0);
        }
    }

    #[test]
    fn every_nine_takes_as_much_room() {
        let axis = Axis::percentiles("", 4.0);
        let at = |text: &str| axis.ticks.iter().find(|(_, tick)| tick == text).map(|(at, _)| axis.share(*at));
        assert_eq!([at("0"), at("90"), at("99"), at("99.9"), at("99.99")], [0.0, 0.25, 0.5, 0.75, 1.0].map(Some));
    }

    #[test]
    fn latencies_stand_between_the_decades_around_them() {
        let axis = Axis::decades_of_ms("", 0.3, 2500.0);
        let ticks: Vec<&str> = axis.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(ticks, ["0.1 ms", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
    }

    #[test]
    fn numbers_have_no_needless_digits() {
        assert_eq!([0.0, 0.25, 3.0, 2500.0, 20_000.0, 1.5e6].map(number), ["0", "0.25", "3", "2500", "20k", "1.5M"]);
    }
}
