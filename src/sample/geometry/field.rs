use crate::image::Size;

/// A map given by where every pixel of the image that goes out comes from: elastic and other curved distortions.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    size: Size,
    /// Column of the source for every pixel, rows top down, where 0 is the centre of the first one; `size.area()` of them.
    x: Vec<f32>,
    /// Row of the source.
    y: Vec<f32>,
}

impl Field {
    /// For an image of `size` that goes out: the sources of its pixels, in pixels, where the centre of the left upper one is
    /// (0, 0).
    ///
    /// # Panics
    /// If there are not as many as pixels: a bug of the caller.
    pub fn new(size: Size, x: Vec<f32>, y: Vec<f32>) -> Self {
        assert!([x.len(), y.len()].iter().all(|len| *len as u64 == size.area()), "sources for {size}");
        Field { size, x, y }
    }

    /// Columns and rows of the sources of row `row`.
    pub fn row(&self, row: usize) -> (&[f32], &[f32]) {
        let width = self.size.width as usize;
        (&self.x[row * width..][..width], &self.y[row * width..][..width])
    }

    /// Where what is at a point of the image that goes out came from, in continuous coordinates: interpolated between the
    /// centres of pixels, and as far from the point as at the edge where it is beyond.
    pub fn source(&self, x: f64, y: f64) -> (f64, f64) {
        let (px, py) = (x - 0.5, y - 0.5);
        let place = |p: f64, length: u32| {
            let p = p.clamp(0.0, f64::from(length - 1));
            let low = (p as u32).min(length.saturating_sub(2));
            (p, low as usize, (low + 1).min(length - 1) as usize, p - f64::from(low))
        };
        let (inside_x, left, right, fx) = place(px, self.size.width);
        let (inside_y, upper, lower, fy) = place(py, self.size.height);
        let width = self.size.width as usize;
        let mixed = |values: &[f32]| {
            let row = |row: usize| {
                let (a, b) = (f64::from(values[row * width + left]), f64::from(values[row * width + right]));
                a + (b - a) * fx
            };
            let (a, b) = (row(upper), row(lower));
            a + (b - a) * fy
        };
        (mixed(&self.x) + (px - inside_x) + 0.5, mixed(&self.y) + (py - inside_y) + 0.5)
    }

    /// Where a point of the image that came in goes, in continuous coordinates: the best of some steps towards the point whose
    /// source it is. Exact where the field is smooth; where it folds, a point near one of the places.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        let (mut at, mut best) = ((x, y), (f64::INFINITY, (x, y)));
        for _ in 0..MOST_STEPS {
            let (source_x, source_y) = self.source(at.0, at.1);
            let (dx, dy) = (x - source_x, y - source_y);
            let far = dx.abs().max(dy.abs());
            if far < best.0 {
                best = (far, at);
            }
            if far.is_nan() || far <= NEAR_ENOUGH {
                break;
            }
            at = (at.0 + dx, at.1 + dy);
        }
        best.1
    }
}

/// Steps towards the place of a point.
const MOST_STEPS: usize = 64;
/// Distance in pixels at which a place is found.
const NEAR_ENOUGH: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_goes_where_its_source_is() {
        let size = Size::new(20, 16);
        let bent = |x: f64, y: f64| (x + 1.5 * libm::sin(y / 4.0), y + 1.2 * libm::cos(x / 5.0));
        let sources: Vec<(f64, f64)> =
            (0..16).flat_map(|y| (0..20).map(move |x| bent(f64::from(x), f64::from(y)))).collect();
        let x = sources.iter().map(|p| p.0 as f32).collect();
        let field = Field::new(size, x, sources.iter().map(|p| p.1 as f32).collect());
        for (x, y) in [(3.0, 4.0), (10.3, 8.9), (17.0, 2.0), (-3.0, 20.0)] {
            let (to_x, to_y) = field.point(x, y);
            let (from_x, from_y) = field.source(to_x, to_y);
            assert!((from_x - x).abs() < 1e-5 && (from_y - y).abs() < 1e-5, "({x}, {y}) is at ({from_x}, {from_y})");
        }
    }

    #[test]
    fn fields_of_one_pixel_and_of_nonsense_have_an_answer() {
        let one = Field::new(Size::new(1, 1), vec![2.0], vec![0.0]);
        assert_eq!(one.source(0.5, 0.5), (2.5, 0.5));
        let nonsense = Field::new(Size::new(2, 1), vec![f32::NAN, 1e30], vec![f32::INFINITY, 0.0]);
        assert_eq!(nonsense.point(1.0, 1.0), (1.0, 1.0));
    }
}
