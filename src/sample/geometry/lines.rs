/// A map that moves whole columns and rows: where each of them comes from, in pixels, where the centre of the first one is 0. Neither
/// ever goes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    columns: Vec<f32>,
    rows: Vec<f32>,
}

impl Lines {
    /// The sources of all columns and rows of the image that goes out.
    pub fn new(columns: Vec<f32>, rows: Vec<f32>) -> Self {
        Lines { columns, rows }
    }

    /// Where what is at a point of the image that goes out came from, in continuous coordinates: that of the pixel around it.
    pub fn source(&self, x: f64, y: f64) -> (f64, f64) {
        let along = |lines: &[f32], at: f64| {
            let last = lines.len().saturating_sub(1);
            lines.get((at.max(0.0) as usize).min(last)).map_or(at, |line| f64::from(*line) + 0.5)
        };
        (along(&self.columns, x), along(&self.rows, y))
    }

    /// Where a point of the image that came in goes, in continuous coordinates: between the lines that came from both sides of it,
    /// and beyond the first and last one as far as it was.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (along(&self.columns, x - 0.5) + 0.5, along(&self.rows, y - 0.5) + 0.5)
    }
}

fn along(lines: &[f32], at: f64) -> f64 {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return at };
    let line = |index: usize| f64::from(lines[index]);
    match lines.iter().position(|line| f64::from(*line) > at) {
        Some(0) => at - f64::from(*first),
        Some(after) => (after - 1) as f64 + (at - line(after - 1)) / (line(after) - line(after - 1)),
        None => (lines.len() - 1) as f64 + at - f64::from(*last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_go_between_the_lines_that_came_from_around_them() {
        let lines = Lines::new(vec![0.0, 2.0, 2.0, 5.0], vec![1.0]);
        assert_eq!(lines.point(1.5, 1.5), (1.0, 0.5));
        assert_eq!(lines.point(2.5 + 1.5, 3.5), (3.0, 2.5));
        assert_eq!(lines.point(-0.5, 0.5), (-0.5, -0.5));
        assert_eq!(lines.point(7.5, 1.5), (5.5, 0.5));
        assert_eq!(lines.source(1.2, 0.4), (2.5, 1.5));
        assert_eq!(Lines::new(Vec::new(), Vec::new()).point(1.0, 2.0), (1.0, 2.0));
    }
}
