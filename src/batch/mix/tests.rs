use super::*;

const SIZE: Size = Size::new(40, 30);

const CUTMIX: MixKind = MixKind::CutMix { alpha: 1.0 };
const MIXUP: MixKind = MixKind::MixUp { alpha: 1.0 };
const MOSAIC: MixKind = MixKind::Mosaic { centre_range: [0.3, 0.7] };
const COPY_PASTE: MixKind = MixKind::CopyPaste(Objects { object_p: 0.5, most: 10 });

fn mixing(kind: MixKind, per: DrawPer) -> Mixing {
    let how = How::One(Kind { kind, p: 1.0 });
    Mixing { how, per, group: 16, smoothing: 0.0, off_from_epoch: None }
}

fn draws(mixing: &Mixing, rows: u64) -> Vec<Option<Mix>> {
    (0..rows as u32).map(|row| mixing.draw(5, (1, 2), &(1000..1000 + rows), row, SIZE)).collect()
}

#[test]
fn a_partner_is_another_row_of_the_same_group() {
    for per in [DrawPer::Row, DrawPer::Batch] {
        let drawn = draws(&mixing(MIXUP, per), 49);
        for (row, mix) in drawn.iter().enumerate().take(48) {
            let mix = mix.as_ref().expect("p is 1");
            assert_eq!(mix.partners[0] / 16, row as u32 / 16);
            assert_ne!(mix.partners[0], row as u32);
        }
        assert_eq!(drawn[48], None, "a group of one stays as it is");
    }
    let batch = draws(&mixing(MIXUP, DrawPer::Batch), 32);
    let of = |row: usize| batch[row].clone().expect("mixed");
    assert_eq!((of(0).partners, of(17).partners), (vec![15], vec![16]));
    assert_eq!(of(3).shares, of(30).shares);
}

#[test]
fn the_weight_of_cutmix_is_the_share_of_pixels_left() {
    for mix in draws(&mixing(CUTMIX, DrawPer::Row), 64).into_iter().flatten() {
        let Mixed::CutMix(window) = mix.how else { panic!("CutMix was asked for") };
        assert!(window.x + window.size.width <= 40 && window.y + window.size.height <= 30);
        assert_eq!(mix.shares[0], 1.0 - window.size.area() as f64 / 1200.0);
    }
}

#[test]
fn draws_do_not_depend_on_which_other_rows_are_asked_for() {
    let mixing = mixing(CUTMIX, DrawPer::Row);
    let all = draws(&mixing, 32);
    assert_eq!(mixing.draw(5, (1, 2), &(1000..1032), 20, SIZE), all[20]);
}

#[test]
fn probability_leaves_rows_unmixed() {
    let with = |p| How::One(Kind { kind: MIXUP, p });
    let some = Mixing { how: with(0.5), ..mixing(MIXUP, DrawPer::Row) };
    let mixed = draws(&some, 1600).iter().flatten().count();
    assert!((700..900).contains(&mixed), "{mixed}");
    assert!(draws(&Mixing { how: with(0.0), ..some }, 32).iter().all(Option::is_none));
}

#[test]
fn soft_labels_sum_to_one() {
    let mut out = [9.0; 4];
    soft_label(&[(1, 0.25), (3, 0.75)], 1.0, &mut out);
    assert_eq!(out, [0.0, 0.25, 0.0, 0.75]);
    soft_label(&[(1, 0.25), (1, 0.75)], 1.0, &mut out);
    assert_eq!(out, [0.0, 1.0, 0.0, 0.0]);
    soft_label(&[(2, 1.0)], 1.0, &mut out);
    assert_eq!(out, [0.0, 0.0, 1.0, 0.0]);
    soft_label(&[(3, 10.0), (0, 20.0), (3, 40.0), (-1, 10.0)], 80.0, &mut out);
    assert_eq!(out, [0.25, 0.0, 0.0, 0.625], "a row without a class has no weight");
    // Whatever the weight is, two rows of one class are of that class.
    for weight in (0..1000).map(|part| f64::from(part) / 1000.0) {
        soft_label(&[(1, weight), (1, 1.0 - weight)], 1.0, &mut out);
        assert_eq!(out[1], 1.0);
    }
}

#[test]
fn one_of_both_is_drawn_with_its_probability_per_row_and_per_batch() {
    let kind = |kind| Kind { kind, p: 1.0 };
    let how = How::Either(0.25, kind(CUTMIX), kind(MixKind::MixUp { alpha: 0.8 }));
    let either = Mixing { how, ..mixing(MIXUP, DrawPer::Row) };
    let is_cut = |mix: &&Mix| matches!(mix.how, Mixed::CutMix(_));
    let cut = draws(&either, 1600).iter().flatten().filter(is_cut).count();
    assert!((330..470).contains(&cut), "{cut} of 1600, expected 400");
    let whole = draws(&Mixing { per: DrawPer::Batch, ..either.clone() }, 32);
    let cut = whole.iter().flatten().filter(is_cut).count();
    assert!(cut == 0 || cut == 32, "a batch is of one kind");
    assert!(either.blends() && !mixing(CUTMIX, DrawPer::Row).blends());
}

#[test]
fn mixing_ends_with_its_last_epoch() {
    let until = Mixing { off_from_epoch: Some(2), ..mixing(CUTMIX, DrawPer::Row) };
    let drawn = |epoch| until.draw(5, (epoch, 0), &(0..32), 3, SIZE);
    assert!(drawn(0).is_some() && drawn(1).is_some());
    assert!(drawn(2).is_none() && drawn(3).is_none());
}

#[test]
fn smoothing_gives_every_class_its_share() {
    let smooth = Mixing { smoothing: 0.1, ..mixing(CUTMIX, DrawPer::Row) };
    let mut out = [0.0; 4];
    smooth.soft_label(&[(1, 1.0)], 1.0, &mut out);
    let near = |x: f32, y: f32| (x - y).abs() < 1e-6;
    // torch's CrossEntropyLoss(label_smoothing=0.1): 0.9 and a quarter of 0.1 for the class, the quarter for each other.
    assert!(near(out[1], 0.925) && near(out[0], 0.025) && near(out.iter().sum(), 1.0));
    smooth.soft_label(&[(1, 0.25), (3, 0.75)], 1.0, &mut out);
    assert!(near(out[1], 0.25) && near(out[3], 0.7), "{out:?}");
}

/// Kolmogorov and Smirnov's distance of 10,000 weights from Beta(alpha, alpha), whose distribution has a closed form for these.
#[test]
fn weights_are_beta_distributed() {
    let arcsine = |x: f64| 2.0 / std::f64::consts::PI * x.sqrt().asin();
    let cases: [(f64, &dyn Fn(f64) -> f64); 4] = [
        (1.0, &|x| x),
        (0.5, &arcsine),
        (2.0, &|x| x * x * (3.0 - 2.0 * x)),
        (3.0, &|x| x * x * x * (10.0 - 15.0 * x + 6.0 * x * x)),
    ];
    for (alpha, cumulative) in cases {
        let how = How::One(Kind { kind: MixKind::MixUp { alpha }, p: 1.0 });
        let mixing = Mixing { how, ..mixing(MIXUP, DrawPer::Row) };
        let mut weights: Vec<f64> = draws(&mixing, 10_000).iter().flatten().map(|mix| mix.shares[0]).collect();
        weights.sort_by(f64::total_cmp);
        let ranks = weights.iter().zip(1..);
        let distance = ranks.map(|(x, rank)| (cumulative(*x) - f64::from(rank) / 10_000.0).abs()).fold(0.0, f64::max);
        assert!(distance * 100.0 < 1.95, "alpha {alpha}: {distance}");
    }
}

#[test]
fn a_mosaic_has_three_other_rows_none_of_them_twice_if_there_are_as_many() {
    for per in [DrawPer::Row, DrawPer::Batch] {
        // The last group has as many rows as the case says.
        for (last, distinct) in [(16, 3), (4, 3), (3, 2), (2, 1)] {
            for (row, mix) in draws(&mixing(MOSAIC, per), 32 + last).into_iter().enumerate().skip(32) {
                let mix = mix.expect("p is 1");
                assert!(mix.partners.iter().all(|partner| partner / 16 == 2 && *partner != row as u32));
                assert!(mix.partners.iter().all(|partner| u64::from(*partner) < 32 + last));
                let different: std::collections::BTreeSet<u32> = mix.partners.iter().copied().collect();
                assert_eq!((mix.partners.len(), different.len()), (3, distinct), "{per:?}: {mix:?}");
            }
        }
    }
    let batch = draws(&mixing(MOSAIC, DrawPer::Batch), 32);
    let of = |row: usize| batch[row].clone().expect("mixed");
    assert_eq!((of(1).partners, of(17).partners), (vec![0, 15, 14], vec![16, 31, 30]));
    assert_eq!(of(3).how, of(30).how, "one centre for all");
}

#[test]
fn shares_of_a_mosaic_are_the_pixels_of_its_quadrants() {
    for mix in draws(&mixing(MOSAIC, DrawPer::Row), 64).into_iter().flatten() {
        let Mixed::Mosaic(Mosaic { x, y }) = mix.how else { panic!("a mosaic was asked for") };
        assert!((12..28).contains(&x) && (9..21).contains(&y), "{x}, {y}");
        let areas = [x * y, (40 - x) * y, x * (30 - y), (40 - x) * (30 - y)].map(f64::from);
        assert_eq!((&mix.shares[..], mix.whole), (&areas[..], 1200.0));
    }
}

/// Every other row of a group of six is equally often at every place of 6,000 mosaics.
#[test]
fn partners_of_mosaics_are_uniform() {
    let six = Mixing { group: 6, ..mixing(MOSAIC, DrawPer::Row) };
    let mut times = [[0; 6]; 3];
    for step in 0..6000 {
        let mix = six.draw(5, (0, step), &(step * 6..step * 6 + 6), 2, SIZE).expect("p is 1");
        mix.partners.iter().zip(&mut times).for_each(|(partner, times)| times[*partner as usize] += 1);
    }
    // 1,200 each; five standard deviations are 155.
    for times in times {
        let others = times.iter().enumerate().filter(|(row, _)| *row != 2);
        assert!(times[2] == 0 && others.clone().all(|(_, times)| (1045..1355).contains(times)), "{times:?}");
    }
}

#[test]
fn mosaics_and_pasted_objects_come_with_their_probability() {
    for (kind, per) in [(MOSAIC, DrawPer::Row), (COPY_PASTE, DrawPer::Row)] {
        let how = How::One(Kind { kind, p: 0.3 });
        let mixed = draws(&Mixing { how, ..mixing(kind, per) }, 8000).iter().flatten().count();
        // Five standard deviations are 205.
        assert!((2195..2605).contains(&mixed), "{mixed} of 8000, expected 2400");
    }
}

#[test]
fn pasted_objects_are_drawn_apart_from_the_row_and_leave_the_label_alone() {
    let mut keys = std::collections::HashSet::new();
    for mix in draws(&mixing(COPY_PASTE, DrawPer::Row), 64).into_iter().flatten() {
        let Mixed::CopyPaste(_, key) = mix.how else { panic!("objects were asked for") };
        assert!(keys.insert(key), "every row has its own key");
        assert_eq!((key.purpose, &mix.shares[..]), (Purpose::MixObjects, &[1.0, 0.0][..]));
    }
    assert!(mixing(COPY_PASTE, DrawPer::Row).pastes_objects() && !mixing(MOSAIC, DrawPer::Row).pastes_objects());
}
