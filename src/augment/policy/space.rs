//! Which ops torchvision's policies draw from, and the magnitudes of each.

use super::chain::{Name, Step};
use crate::image::Size;
use crate::seed::Rng;

/// An op and its magnitudes.
pub(super) type Entry = (Name, Range);

/// The magnitudes of an op, from the least to the greatest change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Range {
    /// None.
    Nothing,
    /// From 0, in either direction.
    Signed(f64),
    /// From 0 to a fraction of the width, in either direction.
    Width(f64),
    /// From 0 to a fraction of the height, in either direction.
    Height(f64),
    /// From a number of bits to another.
    Bits(f32, f32),
    /// From 1 to 0.
    Falling,
}

impl Range {
    /// The magnitude in bin `bin` of `bins`, in 32-bit floats as torch computes it. `bins` is at least 2.
    pub(super) fn magnitude(self, bins: u32, bin: u32, size: Size) -> f64 {
        let (bin, last) = (bin.min(bins - 1), bins - 1);
        let line = |from: f64, to: f64| -> f64 {
            let (from, to) = (from as f32, to as f32);
            let step = (to - from) / last as f32;
            // From either end, so that both are met.
            (if bin < bins / 2 { from + step * bin as f32 } else { to - step * (last - bin) as f32 }).into()
        };
        match self {
            Range::Nothing => 0.0,
            Range::Signed(most) => line(0.0, most),
            Range::Width(fraction) => line(0.0, fraction * f64::from(size.width)),
            Range::Height(fraction) => line(0.0, fraction * f64::from(size.height)),
            Range::Bits(from, to) => (from - bin as f32 / (last as f32 / (from - to))).round_ties_even().into(),
            Range::Falling => line(1.0, 0.0),
        }
    }

    fn is_signed(self) -> bool {
        matches!(self, Range::Signed(_) | Range::Width(_) | Range::Height(_))
    }

    /// An op at `bin` of `bins`, in one direction or the other.
    pub(super) fn at(self, op: Name, (bins, bin): (u32, u32), size: Size, rng: &mut Rng) -> Step {
        let magnitude = self.magnitude(bins, bin, size);
        let turned = self.is_signed() && rng.chance(0.5);
        Step::new(op, if turned { -magnitude } else { magnitude })
    }
}

/// One of `entries`, each equally likely; `bin` draws which of `bins` its magnitude is in, if it has any.
pub(super) fn draw(
    entries: &[Entry],
    (bins, bin): (u32, impl FnOnce(&mut Rng) -> u32),
    size: Size,
    rng: &mut Rng,
) -> Step {
    let (op, range) = entries[rng.below(entries.len() as u64) as usize];
    let bin = if range == Range::Nothing { 0 } else { bin(rng) };
    range.at(op, (bins, bin), size, rng)
}

/// Of RandAugment.
pub(super) const RAND: [Entry; 14] = [
    (Name::Identity, Range::Nothing),
    (Name::ShearX, Range::Signed(0.3)),
    (Name::ShearY, Range::Signed(0.3)),
    (Name::TranslateX, Range::Width(150.0 / 331.0)),
    (Name::TranslateY, Range::Height(150.0 / 331.0)),
    (Name::Rotate, Range::Signed(30.0)),
    (Name::Brightness, Range::Signed(0.9)),
    (Name::Color, Range::Signed(0.9)),
    (Name::Contrast, Range::Signed(0.9)),
    (Name::Sharpness, Range::Signed(0.9)),
    (Name::Posterize, Range::Bits(8.0, 4.0)),
    (Name::Solarize, Range::Falling),
    (Name::AutoContrast, Range::Nothing),
    (Name::Equalize, Range::Nothing),
];

/// Of TrivialAugmentWide.
pub(super) const WIDE: [Entry; 14] = [
    (Name::Identity, Range::Nothing),
    (Name::ShearX, Range::Signed(0.99)),
    (Name::ShearY, Range::Signed(0.99)),
    (Name::TranslateX, Range::Signed(32.0)),
    (Name::TranslateY, Range::Signed(32.0)),
    (Name::Rotate, Range::Signed(135.0)),
    (Name::Brightness, Range::Signed(0.99)),
    (Name::Color, Range::Signed(0.99)),
    (Name::Contrast, Range::Signed(0.99)),
    (Name::Sharpness, Range::Signed(0.99)),
    (Name::Posterize, Range::Bits(8.0, 2.0)),
    (Name::Solarize, Range::Falling),
    (Name::AutoContrast, Range::Nothing),
    (Name::Equalize, Range::Nothing),
];

/// Of AugMix.
pub(super) const MIX: [Entry; 13] = [
    (Name::ShearX, Range::Signed(0.3)),
    (Name::ShearY, Range::Signed(0.3)),
    (Name::TranslateX, Range::Width(1.0 / 3.0)),
    (Name::TranslateY, Range::Height(1.0 / 3.0)),
    (Name::Rotate, Range::Signed(30.0)),
    (Name::Posterize, Range::Bits(4.0, 0.0)),
    (Name::Solarize, Range::Falling),
    (Name::AutoContrast, Range::Nothing),
    (Name::Equalize, Range::Nothing),
    (Name::Brightness, Range::Signed(0.9)),
    (Name::Color, Range::Signed(0.9)),
    (Name::Contrast, Range::Signed(0.9)),
    (Name::Sharpness, Range::Signed(0.9)),
];

/// The magnitudes of an op in torchvision's AutoAugment.
pub(super) fn of_auto(op: Name) -> Range {
    RAND.iter().find(|(name, _)| *name == op).map_or(Range::Nothing, |(_, range)| *range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnitudes_are_torchs() {
        let size = Size::new(224, 112);
        let at = |range: Range, bins, bin| range.magnitude(bins, bin, size);
        // float(torch.linspace(0.0, 0.3, 31)[9]) and so on.
        for (found, expected) in [
            (at(Range::Signed(0.3), 31, 9), 0.090_000_003_576_278_69),
            (at(Range::Signed(0.3), 31, 30), 0.300_000_011_920_928_96),
            (at(Range::Width(150.0 / 331.0), 31, 9), 30.453_172_683_715_82),
            (at(Range::Falling, 31, 9), 0.699_999_988_079_071),
            (at(Range::Bits(8.0, 4.0), 31, 9), 7.0),
            (at(Range::Bits(8.0, 2.0), 31, 30), 2.0),
            (at(Range::Bits(4.0, 0.0), 10, 2), 3.0),
            (at(Range::Nothing, 31, 9), 0.0),
        ] {
            assert!((found - expected).abs() <= 2e-7 * expected.abs(), "{found} {expected}");
        }
        // A bin that is not there is the last.
        assert_eq!(at(Range::Signed(30.0), 2, 99), 30.0);
    }
}
