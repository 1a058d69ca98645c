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
/// Where the axes begin and end, in units of the picture.
const LEFT: f64 = 66.0;
const END: f64 = WIDTH - 16.0;
const TOP: f64 = 34.0;
const FLOOR: f64 = HEIGHT - 44.0;

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
        let x = |value: f64| LEFT + self.x.share(value) * (END - LEFT);
        let y = |value: f64| FLOOR - self.y.share(value) * (FLOOR - TOP);
        let title = escaped(self.title);
        let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n");
        text(&mut svg, "title", [LEFT, 18.0], self.title);
        text(&mut svg, "label end", [END, 18.0], &self.y.label);
        text(&mut svg, "label middle", [(LEFT + END) / 2.0, HEIGHT - 8.0], &self.x.label);
        for (at, name) in &self.y.ticks {
            line(&mut svg, "grid", [LEFT, y(*at)], [END, y(*at)]);
            text(&mut svg, "tick end", [LEFT - 8.0, y(*at) + 4.0], name);
        }
        for (at, name) in &self.x.ticks {
            line(&mut svg, "axis", [x(*at), FLOOR], [x(*at), FLOOR + 4.0]);
            text(&mut svg, "tick middle", [x(*at), FLOOR + 17.0], name);
        }
        line(&mut svg, "axis", [LEFT, FLOOR], [END, FLOOR]);
        for Series { name, class, shape } in &self.series {
            let kind = if matches!(shape, Shape::Line(_)) { "line" } else { "bars" };
            let (path, name) = (shape.path(&x, &y), escaped(name));
            let _ = writeln!(svg, "<path class=\"{kind} {class}\" d=\"{path}\"><title>{name}</title></path>");
        }
        // What the colours mean, if there is more than one: beside the title, where no curve comes.
        for (index, Series { name, class, .. }) in self.series.iter().enumerate().filter(|_| self.series.len() > 1) {
            let left = LEFT + 260.0 + 110.0 * index as f64;
            let _ = writeln!(svg, "<rect class=\"bars {class}\" x=\"{left}\" y=\"9\" width=\"10\" height=\"10\"/>");
            text(&mut svg, "tick", [left + 15.0, 18.0], name);
        }
        svg.push_str("</svg>\n");
        svg
    }
}

impl Shape {
    fn path(&self, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) -> String {
        let mut path = String::new();
        match self {
            Shape::Line(points) => {
                for (index, (at, value)) in points.iter().enumerate() {
                    let command = if index == 0 { 'M' } else { 'L' };
                    let _ = write!(path, "{command}{:.1} {:.1}", x(*at), y(*value));
                }
            }
            Shape::Bars(bars) => {
                for (from, to, value) in bars {
                    let (from, to, top) = (x(*from), x(*to), y(*value));
                    // Bars that are wide enough stand apart.
                    let to = if to - from > 4.0 { to - 1.5 } else { to };
                    let _ = write!(path, "M{from:.2} {FLOOR}V{top:.1}H{to:.2}V{FLOOR}Z");
                }
            }
        }
        path
    }
}

// Writing into a string does not fail, here and above.

fn text(svg: &mut String, class: &str, [x, y]: [f64; 2], text: &str) {
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
}

fn line(svg: &mut String, class: &str, from: [f64; 2], to: [f64; 2]) {
    let ([x1, y1], [x2, y2]) = (from, to);
    let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
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
