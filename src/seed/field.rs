/// A field of random numbers that are made where they are needed: the number at each index depends on the seed and the index alone,
/// so a field needs no memory, and many numbers are made at once.
///
/// The 32 bits at index `i` are `mix(mix(i + a) ^ b)`, sums modulo 2^32, where `a` and `b` are the lower and upper half of the seed
/// after one step of SplitMix64, and `mix` is the permutation `lowbias32` of Chris Wellons: `x ^= x >> 16; x *= 0x7feb352d;
/// x ^= x >> 15; x *= 0x846ca68b; x ^= x >> 16`. For pixels, not for parameters: those come of [`super::Rng`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    a: u32,
    b: u32,
}

impl Field {
    /// The field of a seed.
    pub fn new(seed: u64) -> Self {
        let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let z = z ^ (z >> 31);
        Field { a: z as u32, b: (z >> 32) as u32 }
    }

    /// 32 random bits.
    #[inline(always)]
    pub fn word(self, index: u32) -> u32 {
        mix(mix(index.wrapping_add(self.a)) ^ self.b)
    }

    /// Uniform in [0, 1): a multiple of 2^-24.
    #[inline(always)]
    pub fn unit(self, index: u32) -> f32 {
        // Below 2^24, so the cast through signed numbers, which every level of vectors has, is exact.
        (self.word(index) >> 8) as i32 as f32 * UNIT
    }

    /// A whole number from 0 to `n - 1`, by multiplication; each as likely as the others to `n` parts in 2^32. 0 if `n` is 0.
    #[inline(always)]
    pub fn below(self, index: u32, n: u32) -> u32 {
        ((u64::from(self.word(index)) * u64::from(n)) >> 32) as u32
    }

    /// The 32 standard normal numbers from index `32 * block` on (Box and Muller's method, in polynomials, each within 1e-6 of the
    /// exact one, none beyond 5.77). They take the words of the same indices.
    #[inline(always)]
    pub fn normals(self, block: u32) -> [f32; 32] {
        let mut made = [0.0; 32];
        let first = block.wrapping_mul(32);
        for lane in 0..16 {
            let (a, b) = (self.word(first.wrapping_add(lane)), self.word(first.wrapping_add(lane + 16)));
            let (x, y) = pair(a, b);
            made[lane as usize] = x;
            made[lane as usize + 16] = y;
        }
        made
    }

    /// The standard normal number at an index: one of [`Field::normals`].
    pub fn normal(self, index: u32) -> f32 {
        self.normals(index / 32)[index as usize % 32]
    }
}

#[inline(always)]
fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// Two independent standard normal numbers: a distance of the first word, a direction of the second.
#[inline(always)]
fn pair(a: u32, b: u32) -> (f32, f32) {
    // In (0, 1], so that it has a logarithm.
    let unit = ((a >> 8) as i32 + 1) as f32 * UNIT;
    let distance = (-2.0 * ln(unit)).sqrt();
    // An angle of the first eighth of the circle; three other bits mirror it into the others.
    let angle = (b >> 8) as i32 as f32 * (UNIT * std::f32::consts::FRAC_PI_4);
    let square = angle * angle;
    let sine = angle + angle * (square * (-1.0 / 6.0 + square * (1.0 / 120.0 - square * (1.0 / 5040.0))));
    let cosine = 1.0 + square * (-0.5 + square * (1.0 / 24.0 + square * (-1.0 / 720.0 + square * (1.0 / 40320.0))));
    let (x, y) = if b & 1 == 0 { (cosine, sine) } else { (sine, cosine) };
    let sign = |bit: u32| f32::from_bits(distance.to_bits() | bit << 31);
    (x * sign(b >> 1 & 1), y * sign(b >> 2 & 1))
}

/// The natural logarithm of a positive number that is not subnormal.
#[inline(always)]
fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    // x = fraction * 2^exponent, the fraction from sqrt(1/2) to sqrt(2).
    let above = bits.wrapping_sub(0x3f35_04f3);
    let exponent = (above as i32) >> 23;
    let fraction = f32::from_bits((above & 0x007f_ffff).wrapping_add(0x3f35_04f3));
    // ln((1 + s) / (1 - s)) = 2 (s + s^3 / 3 + s^5 / 5 + ...)
    let s = (fraction - 1.0) / (fraction + 1.0);
    let square = s * s;
    let series = square * (1.0 / 3.0 + square * (1.0 / 5.0 + square * (1.0 / 7.0 + square * (1.0 / 9.0))));
    exponent as f32 * std::f32::consts::LN_2 + 2.0 * (s + s * series)
}

const UNIT: f32 = 1.0 / 16_777_216.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_equal_the_committed_vectors() {
        let words = |seed| [0, 1, 2, 1_000_000].map(|index| Field::new(seed).word(index));
        assert_eq!(words(0), [2_133_699_716, 379_535_711, 2_825_842_526, 2_714_588_213]);
        assert_eq!(words(12_345), [613_025_039, 1_154_130_482, 2_572_922_675, 952_254_615]);
    }

    #[test]
    fn words_are_uniform_and_neighbours_independent() {
        for seed in [0, 1, 2, 1 << 40] {
            let field = Field::new(seed);
            let (mut high, mut low, mut pairs) = ([0_u32; 256], [0_u32; 256], [0_u32; 256]);
            for index in 0..256_000 {
                let (word, next) = (field.word(index), field.word(index + 1));
                high[(word >> 24) as usize] += 1;
                low[(word & 255) as usize] += 1;
                pairs[((word >> 28) << 4 | next >> 28) as usize] += 1;
            }
            for counts in [high, low, pairs] {
                // Chi squared with 255 degrees of freedom: above 330 once in a thousand fields; these are fixed.
                let chi: f64 = counts.iter().map(|n| (f64::from(*n) - 1000.0).powi(2) / 1000.0).sum();
                assert!(chi < 330.0 && chi > 190.0, "seed {seed}: {chi}");
            }
        }
    }

    #[test]
    fn normals_are_normal() {
        for seed in [0, 1, 99] {
            let field = Field::new(seed);
            let mut values: Vec<f64> = (0..6250).flat_map(|block| field.normals(block)).map(f64::from).collect();
            let n = values.len() as f64;
            let moment = |power: i32| values.iter().map(|x| x.powi(power)).sum::<f64>() / n;
            assert!(moment(1).abs() < 0.01 && (moment(2) - 1.0).abs() < 0.015, "{} {}", moment(1), moment(2));
            assert!(moment(3).abs() < 0.03 && (moment(4) - 3.0).abs() < 0.1, "{} {}", moment(3), moment(4));
            let halves: f64 = values.chunks(32).flat_map(|b| (0..16).map(|i| b[i] * b[i + 16])).sum::<f64>() * 2.0 / n;
            assert!(halves.abs() < 0.015, "the two of a pair go together: {halves}");
            values.sort_by(f64::total_cmp);
            let cumulative = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
            let distances = values.iter().enumerate().map(|(rank, x)| (cumulative(*x) - (rank as f64 + 0.5) / n).abs());
            let distance = distances.fold(0.0, f64::max) * n.sqrt();
            assert!(distance < 1.95, "seed {seed}: {distance} standard distances from normal");
        }
    }

    #[test]
    fn normals_are_what_exact_functions_make_of_the_words() {
        let field = Field::new(5);
        for index in 0..2000_u32 {
            let (block, lane) = (index / 32, index % 32);
            let (a, b) = (field.word(block * 32 + lane % 16), field.word(block * 32 + lane % 16 + 16));
            let distance = (-2.0 * libm::log((f64::from(a >> 8) + 1.0) / 16_777_216.0)).sqrt();
            let angle = f64::from(b >> 8) / 16_777_216.0 * std::f64::consts::FRAC_PI_4;
            let second = lane >= 16;
            let part = if (b & 1 == 1) == second { libm::cos(angle) } else { libm::sin(angle) };
            let negative = b >> (1 + u32::from(second)) & 1 == 1;
            let expected = distance * if negative { -part } else { part };
            assert!((f64::from(field.normal(index)) - expected).abs() < 2e-6, "{index}: {expected}");
        }
    }
}
