use std::sync::OnceLock;

/// Weights of four by four pixels for each of 32 x 32 places between pixels, at `32 * row + column`.
pub(super) struct Weights {
    /// In parts of 32768; those of a place add up to that.
    pub(super) whole: Vec<[i16; 16]>,
    /// The same unrounded.
    pub(super) float: Vec<[f32; 16]>,
}

impl Weights {
    /// The weights, which are made once: they depend on nothing.
    pub(super) fn shared() -> &'static Weights {
        static SHARED: OnceLock<Weights> = OnceLock::new();
        SHARED.get_or_init(Weights::new)
    }

    fn new() -> Weights {
        let along: Vec<[f32; 4]> = (0..32_u8).map(|place| keys(f32::from(place) / 32.0)).collect();
        let mut weights = Weights { whole: Vec::with_capacity(1024), float: Vec::with_capacity(1024) };
        for row in &along {
            for column in &along {
                let float: [f32; 16] = std::array::from_fn(|at| row[at / 4] * column[at % 4]);
                weights.float.push(float);
                weights.whole.push(rounded(&float));
            }
        }
        weights
    }
}

/// Weights of four neighbours for a point `x` of the way from the second to the third: Keys' with a = -0.75.
fn keys(x: f32) -> [f32; 4] {
    const A: f32 = -0.75;
    let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let (first, second, third) = (far(x + 1.0), near(x), near(1.0 - x));
    [first, second, third, 1.0 - first - second - third]
}

/// In parts of 32768. What rounding leaves over goes to one of the four pixels around: missing parts to the heaviest, too many
/// from the lightest.
fn rounded(float: &[f32; 16]) -> [i16; 16] {
    let mut whole = float.map(|weight| (weight * 32768.0).round_ties_even() as i16);
    let over = whole.iter().map(|weight| i32::from(*weight)).sum::<i32>() - 32768;
    let (mut lightest, mut heaviest) = (10, 10);
    // OpenCV looks at the third and fourth row and column, not at the second and third: so do we.
    for at in [10, 11, 14, 15] {
        if whole[at] < whole[lightest] {
            lightest = at;
        } else if whole[at] > whole[heaviest] {
            heaviest = at;
        }
    }
    let chosen = if over < 0 { heaviest } else { lightest };
    whole[chosen] = whole[chosen].saturating_sub(over.clamp(-1000, 1000) as i16);
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_every_place_add_up_and_a_pixel_itself_is_unchanged() {
        let weights = Weights::shared();
        assert_eq!(weights.whole.len(), 1024);
        for (whole, float) in weights.whole.iter().zip(&weights.float) {
            // The weight of 1 is one more than 16 bits can hold.
            let sum: i32 = whole.iter().map(|weight| i32::from(*weight)).sum();
            assert!((32767..=32768).contains(&sum), "{whole:?}");
            assert!((float.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
        assert!(weights.float[0].iter().enumerate().all(|(at, weight)| *weight == if at == 5 { 1.0 } else { 0.0 }));
    }
}
