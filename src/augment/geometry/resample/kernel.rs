/// A filter: the weight of a pixel by its distance from the point wanted, in pixels of the larger of both grids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kernel {
    /// A triangle.
    Bilinear,
    /// Keys' cubic with a = -0.5, which Catmull and Rom's spline is.
    Bicubic,
    /// All within half a pixel alike.
    Box,
    /// A sinc, windowed by the middle lobe of one three times as wide.
    Lanczos3,
}

impl Kernel {
    /// Distance beyond which the weight is 0.
    pub(super) fn support(self) -> f64 {
        match self {
            Kernel::Box => 0.5,
            Kernel::Bilinear => 1.0,
            Kernel::Bicubic => 2.0,
            Kernel::Lanczos3 => 3.0,
        }
    }

    /// The weight at distance `x`, positive to the right of the point wanted. Not normalised.
    pub(super) fn weight(self, x: f64) -> f64 {
        let distance = x.abs();
        if distance > self.support() {
            return 0.0;
        }
        match self {
            // Open to the left, so that of two pixels at the same distance one counts.
            Kernel::Box => f64::from(x > -0.5),
            Kernel::Bilinear => 1.0 - distance,
            Kernel::Bicubic if distance < 1.0 => (1.5 * distance - 2.5) * distance * distance + 1.0,
            Kernel::Bicubic => ((-0.5 * distance + 2.5) * distance - 4.0) * distance + 2.0,
            Kernel::Lanczos3 if distance == 3.0 => 0.0,
            Kernel::Lanczos3 => sinc(distance) * sinc(distance / 3.0),
        }
    }
}

fn sinc(x: f64) -> f64 {
    let x = x * std::f64::consts::PI;
    if x == 0.0 { 1.0 } else { libm::sin(x) / x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_are_one_at_the_point_and_zero_at_other_pixels() {
        for kernel in [Kernel::Bilinear, Kernel::Bicubic, Kernel::Box, Kernel::Lanczos3] {
            assert_eq!(kernel.weight(0.0), 1.0);
            for x in [1.0, 2.0, 3.0, 4.0] {
                assert!(kernel.weight(x).abs() < 1e-15 && kernel.weight(-x).abs() < 1e-15, "{kernel:?} at {x}");
            }
        }
        assert_eq!((Kernel::Box.weight(-0.5), Kernel::Box.weight(0.5)), (0.0, 1.0));
        assert_eq!((Kernel::Bicubic.weight(0.5), Kernel::Bicubic.weight(-1.5)), (0.5625, -0.0625));
    }
}
