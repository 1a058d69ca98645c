use super::level::{Kind, Levels, Noise, Posterize};
use super::parse::{Config, Plan};
use crate::augment::policy::chain::{Filter, Name};
use crate::image::Size;
use crate::seed::{Key, Purpose, Rng};

fn rng() -> Rng {
    Key { seed: 1, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op }.rng()
}

fn parsed(policy: &str) -> Config {
    Config::parse(policy, None).unwrap_or_else(|refusal| panic!("{policy}: {refusal}"))
}

#[test]
fn policies_say_what_they_say_to_timm() {
    let config = parsed("rand-m9-mstd0.5-inc1");
    let Plan::Rand { kinds, weights, count, p, magnitude } = &config.plan else { panic!("{config:?}") };
    assert_eq!((kinds.len(), weights.len(), *count, *p, *magnitude), (15, 0, 2, 0.5, 9.0));
    let levels = &config.levels;
    assert_eq!((levels.noise, levels.most, levels.increasing), (Noise::Normal(0.5), 10.0, true));
    assert_eq!((levels.posterize, levels.translate), (Posterize::Increasing, 0.45));

    let config = parsed("rand-m15-n3-p0.75-mmax20-mstd101-t3aw");
    let Plan::Rand { kinds, weights, count, p, magnitude } = &config.plan else { panic!("{config:?}") };
    assert_eq!((kinds.len(), weights.len(), *count, *p, *magnitude), (14, 14, 3, 0.75, 15.0));
    assert_eq!((config.levels.noise, config.levels.most, config.levels.increasing), (Noise::Uniform, 20.0, true));
    assert_eq!(parsed("rand").levels.posterize, Posterize::Tpu);
    assert_eq!(parsed("rand-mmax0").levels.most, 10.0);

    let config = parsed("augmix-m5-w4-d2");
    let expected = Plan::Mix { magnitude: 5.0, width: 4, depth: 2, alpha: 1.0, blended: false };
    assert_eq!((config.plan, config.levels.noise, config.levels.translate), (expected, Noise::Uniform, 0.3));
    let expected = Plan::Mix { magnitude: 3.0, width: 3, depth: 0, alpha: 0.5, blended: true };
    assert_eq!(parsed("augmix-a0.5-b1").plan, expected);

    for (policy, posterize) in [
        ("original", Posterize::Original),
        ("originalr", Posterize::Increasing),
        ("v0", Posterize::Tpu),
        ("v0r", Posterize::Increasing),
    ] {
        let config = parsed(policy);
        assert!(matches!(config.plan, Plan::Pairs(_)) && !config.levels.increasing);
        assert_eq!(config.levels.posterize, posterize);
    }
    assert_eq!(parsed("original-mstd0.5").levels.noise, Noise::Normal(0.5));
    assert!(matches!(parsed("3a").plan, Plan::Three(_)));
    assert_eq!(Config::parse("v0", Some(0.1)).expect("valid").levels.translate, 0.1);
}

#[test]
fn a_refusal_names_the_part() {
    for (policy, part) in [
        ("", "\"\""),
        ("random-m9", "\"random\""),
        ("rand-m9.5", "\"m9.5\""),
        ("rand-m101", "\"m101\""),
        ("rand-x3", "\"x3\""),
        ("rand-inc", "\"inc\""),
        ("rand-m9-m8", "\"m8\""),
        ("rand-p1.5", "\"p1.5\""),
        ("rand-n33", "\"n33\""),
        ("rand-tall", "\"tall\""),
        ("rand-n16-tweights", "\"n16\""),
        ("rand--m9", "\"\""),
        ("rand-mstd1e400", "\"mstd1e400\""),
        ("augmix-w0", "\"w0\""),
        ("augmix-d-1", "\"d\""),
        ("augmix-n2", "\"n2\""),
        ("v0-m9", "\"m9\""),
        ("original-t3a", "\"t3a\""),
        ("rand-\u{fc}\u{fc}9", "\"\u{fc}\u{fc}9\""),
        ("\u{661}-m9", "\"\u{661}\""),
    ] {
        let refusal = Config::parse(policy, None).expect_err(policy);
        assert!(refusal.field == "policy" && refusal.found.contains(part), "{policy}: {refusal}");
    }
}

/// What timm's functions make of magnitudes, drawn without noise: op, then magnitude and argument.
#[test]
fn magnitudes_are_to_ops_what_they_are_in_timm() {
    let size = Size::new(200, 100);
    let levels = |increasing, posterize| Levels {
        noise: Noise::Normal(0.0),
        most: 30.0,
        increasing,
        posterize,
        translate: 0.45,
        filter: None,
    };
    let mut rng = rng();
    for (increasing, posterize, kind, expected) in [
        (false, Posterize::Tpu, Kind::Op(Name::Rotate), [(9.0, 27.0), (0.0, 0.0), (15.0, 45.0)]),
        (false, Posterize::Tpu, Kind::Op(Name::ShearY), [(9.0, 0.27), (5.0, 0.15), (15.0, 0.45)]),
        (false, Posterize::Tpu, Kind::Op(Name::TranslateX), [(10.0, 90.0), (5.0, 45.0), (15.0, 135.0)]),
        (false, Posterize::Tpu, Kind::Op(Name::TranslateY), [(10.0, 45.0), (5.0, 22.5), (15.0, 67.5)]),
        (false, Posterize::Tpu, Kind::Op(Name::Color), [(9.0, 1.72), (0.0, 0.1), (15.0, 2.8)]),
        (false, Posterize::Tpu, Kind::Op(Name::Posterize), [(9.0, 3.0), (0.0, 0.0), (10.0, 4.0)]),
        (false, Posterize::Increasing, Kind::Op(Name::Posterize), [(9.0, 1.0), (2.4, 4.0), (10.0, 0.0)]),
        (false, Posterize::Original, Kind::Op(Name::Posterize), [(9.0, 7.0), (2.6, 5.0), (10.0, 8.0)]),
        (false, Posterize::Tpu, Kind::Op(Name::Solarize), [(9.0, 230.0), (0.0, 0.0), (15.0, 256.0)]),
        (true, Posterize::Tpu, Kind::Op(Name::Solarize), [(9.0, 26.0), (0.0, 256.0), (15.0, 0.0)]),
        (false, Posterize::Tpu, Kind::Op(Name::SolarizeAdd), [(9.0, 99.0), (0.0, 0.0), (15.0, 128.0)]),
        (false, Posterize::Tpu, Kind::Op(Name::GaussianBlur), [(9.0, 1.81), (0.0, 0.1), (15.0, 2.0)]),
        (false, Posterize::Tpu, Kind::Desaturate, [(10.0, 0.0), (0.0, 0.5), (5.0, 0.25)]),
        (true, Posterize::Tpu, Kind::Op(Name::Invert), [(9.0, 0.0), (0.0, 0.0), (15.0, 0.0)]),
    ] {
        for (magnitude, argument) in expected {
            let step = levels(increasing, posterize).draw(kind, (1.0, magnitude), size, &mut rng).expect("certain");
            let found = step.magnitude.abs();
            assert!((found - argument).abs() < 1e-12, "{kind:?} {magnitude}: {found}, not {argument}");
        }
    }
    // Either way from 1, and not below 0.1.
    let draw = |magnitude, rng: &mut Rng| {
        let step = levels(true, Posterize::Tpu).draw(Kind::Op(Name::Sharpness), (1.0, magnitude), size, rng);
        step.expect("certain").magnitude
    };
    assert!((0..50).map(|_| draw(5.0, &mut rng)).all(|x| (x - 1.45).abs() < 1e-12 || (x - 0.55).abs() < 1e-12));
    assert!((0..50).map(|_| draw(30.0, &mut rng)).all(|x| x == 0.1 || (x - 3.7).abs() < 1e-12));
}

#[test]
fn noise_filters_and_directions_are_drawn() {
    let size = Size::new(20, 10);
    let mut rng = rng();
    let mut levels = parsed("rand-mstd0.5").levels;
    let mut draw = |levels: &Levels, magnitude| {
        levels.draw(Kind::Op(Name::Rotate), (1.0, magnitude), size, &mut rng).expect("certain")
    };
    let steps: Vec<_> = (0..10_000).map(|_| draw(&levels, 5.0)).collect();
    let share = |f: &dyn Fn(&crate::augment::policy::chain::Step) -> bool| {
        steps.iter().filter(|step| f(step)).count() as f64 / 10_000.0
    };
    assert!((share(&|step| step.magnitude < 0.0) - 0.5).abs() < 0.02);
    assert!((share(&|step| step.filter == Some(Filter::Bicubic)) - 0.5).abs() < 0.02);
    // Three degrees are a magnitude of 1: the mean is 15, the deviation 1.5.
    let mean = steps.iter().map(|step| step.magnitude.abs()).sum::<f64>() / 10_000.0;
    let variance = steps.iter().map(|step| (step.magnitude.abs() - mean).powi(2)).sum::<f64>() / 10_000.0;
    assert!((mean - 15.0).abs() < 0.06 && (variance.sqrt() - 1.5).abs() < 0.05, "{mean} {variance}");
    levels.noise = Noise::Uniform;
    let mean = (0..10_000).map(|_| draw(&levels, 10.0).magnitude.abs()).sum::<f64>() / 10_000.0;
    assert!((mean - 15.0).abs() < 0.35, "{mean}");
    levels.filter = Some(Filter::Bilinear);
    assert!((0..100).all(|_| draw(&levels, 10.0).filter == Some(Filter::Bilinear)));
}
