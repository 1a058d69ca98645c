/// A lens, which moves points towards its middle or away from it.
pub(in crate::augment::geometry) struct Bend {
    /// Coefficients of the second and the fourth power of the distance from the middle.
    pub(in crate::augment::geometry) powers: [f64; 2],
    /// What the distance is counted in along each axis, in pixels.
    pub(in crate::augment::geometry) units: [f64; 2],
    /// The middle in what goes out, in pixels.
    pub(in crate::augment::geometry) from: [f64; 2],
    /// The middle in what came in.
    pub(in crate::augment::geometry) to: [f64; 2],
}

impl Bend {
    /// Where a pixel comes from.
    #[inline(always)]
    pub(in crate::augment::geometry) fn source(&self, column: u32, row: u32) -> (f32, f32) {
        let x = (f64::from(column) - self.from[0]) / self.units[0];
        let y = (f64::from(row) - self.from[1]) / self.units[1];
        let square = x * x + y * y;
        let factor = 1.0 + (self.powers[1] * square + self.powers[0]) * square;
        ((self.units[0] * x * factor + self.to[0]) as f32, (self.units[1] * y * factor + self.to[1]) as f32)
    }
}
