use super::field::{Noise, Normals};
use super::poisson;
use crate::augment::op::Scratch;
use crate::seed::Field;
use crate::simd::{Kernel, Level};

#[test]
fn every_level_makes_the_same_field() {
    let field = Field::new(9);
    let expected: Vec<f32> = (0..1003).map(|index| field.normal(index)).collect();
    for level in Level::ALL {
        let mut out = vec![0.0; 1003];
        Normals { field, out: &mut out }.run_at(level);
        assert!(out == expected, "{level:?}");
    }
}

#[test]
fn a_record_is_a_seed_or_numbers_and_what_is_missing_is_0() {
    let mut scratch = Scratch::default();
    let given: Noise = serde_json::from_str("[0.5, 1]").expect("numbers");
    assert_eq!(given.units(4, &mut scratch), [0.5, 1.0, 0.0, 0.0]);
    let seed: Noise = serde_json::from_str("7").expect("a seed");
    assert_eq!(seed, Noise::Seed(7));
    assert_eq!(seed.units(3, &mut scratch), [0, 1, 2].map(|index| Field::new(7).unit(index)));
}

#[test]
fn counted_events_have_poissons_mean_and_variance() {
    for expected in [0.0, 0.3, 4.0, 50.0, 64.0, 1000.0] {
        let (field, n) = (Field::new(3), 40_000_u32);
        let draw = |index| poisson::count(expected, field.unit(index), || poisson::normals_beside(3).normal(index));
        let draws: Vec<f64> = (0..n).map(draw).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
        assert!((mean - expected).abs() <= 5.0 * (expected / f64::from(n)).sqrt(), "{mean} of {expected}");
        assert!((variance - expected).abs() <= 0.05 * expected, "{variance} of {expected}");
    }
    assert_eq!(poisson::count(f64::NAN, 0.5, || 0.0), 0.0);
}
