use half::{bf16, f16};

/// A number of the image tensor.
pub(super) trait Element: Copy {
    /// The nearest one, ties to even.
    fn of(x: f32) -> Self;
}

impl Element for u8 {
    fn of(x: f32) -> u8 {
        x.round_ties_even().clamp(0.0, 255.0) as u8
    }
}

impl Element for f16 {
    fn of(x: f32) -> f16 {
        f16::from_f32(x)
    }
}

impl Element for bf16 {
    fn of(x: f32) -> bf16 {
        bf16::from_f32(x)
    }
}

impl Element for f32 {
    fn of(x: f32) -> f32 {
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_nearest_even() {
        // 2049 lies between 2048 and 2050 in half precision, 2051 between 2050 and 2052.
        assert_eq!((f16::of(2049.0).to_f32(), f16::of(2051.0).to_f32()), (2048.0, 2052.0));
        assert_eq!((bf16::of(257.0).to_f32(), bf16::of(259.0).to_f32()), (256.0, 260.0));
        assert_eq!((u8::of(0.5), u8::of(1.5), u8::of(-3.0), u8::of(999.0), u8::of(f32::NAN)), (0, 2, 0, 255, 0));
    }
}
