use std::ops::Range;

use crate::image::{Size, Window};
use crate::seed::{Key, Purpose, Rng};

/// Raised whenever mixing would give other bytes; part of the fingerprint of every spec that mixes.
pub const VERSION: u32 = 1;

/// How rows of a global batch are mixed in pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixing {
    /// CutMix, MixUp, or one of the two each time.
    pub how: How,
    /// What shares one draw.
    pub per: DrawPer,
    /// Consecutive rows of the global batch that may be partners.
    pub group: u32,
    /// Share of a label's weight that all classes divide among them.
    pub smoothing: f64,
    /// First epoch in which rows stay as they are.
    pub off_from_epoch: Option<u32>,
}

/// Which mixing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// Always this one.
    One(Kind),
    /// The first with this probability, else the second.
    Either(f64, Kind, Kind),
}

/// One way of mixing, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    /// CutMix or MixUp.
    pub kind: MixKind,
    /// The weight of a row is drawn from Beta(alpha, alpha).
    pub alpha: f64,
    /// Probability that a row, or batch, is mixed.
    pub p: f64,
}

/// CutMix or MixUp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MixKind {
    /// A box of the partner is pasted into the row.
    CutMix,
    /// Row and partner are blended.
    MixUp,
}

/// What shares one draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawPer {
    /// Nothing: every row has its own weight, box and partner.
    Row,
    /// The whole global batch; a row's partner is the row before it in its group, the first one's is the last.
    Batch,
}

/// What was drawn for one row; pixels and label follow the same draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// The other row, of the global batch.
    pub partner: u32,
    /// How the pixels are mixed.
    pub how: Mixed,
    /// Share of the row itself in the label; the partner has the rest. For CutMix the share of the pixels that are left.
    pub weight: f64,
}

/// How the pixels of a row are mixed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mixed {
    /// This window is the partner's.
    CutMix(Window),
    /// `weight` of the row, the rest of the partner.
    MixUp,
}

impl Mixing {
    /// What is drawn for row `row` of a global batch whose rows stand at `positions` of the epoch. None if it stays as it is.
    pub fn draw(
        &self,
        seed: u64,
        (epoch, step): (u32, u64),
        positions: &Range<u64>,
        row: u32,
        size: Size,
    ) -> Option<Mix> {
        if self.off_from_epoch.is_some_and(|off| epoch >= off) {
            return None;
        }
        let rows = (positions.end - positions.start) as u32;
        let start = row / self.group * self.group;
        let members = start..(start + self.group).min(rows);
        let others = members.len() as u64 - 1;
        let key = Key { seed, epoch, position: step, view: 0, op: 0, purpose: Purpose::MixBatch };
        let mut rng = match self.per {
            DrawPer::Batch => key.rng(),
            DrawPer::Row => Key { position: positions.start + u64::from(row), purpose: Purpose::MixRow, ..key }.rng(),
        };
        let Kind { kind, alpha, p } = match self.how {
            How::One(kind) => kind,
            How::Either(first, one, other) => {
                if rng.chance(first) {
                    one
                } else {
                    other
                }
            }
        };
        if others == 0 || !rng.chance(p) {
            return None;
        }
        let weight = rng.beta(alpha);
        let partner = match self.per {
            DrawPer::Batch if row == start => members.end - 1,
            DrawPer::Batch => row - 1,
            DrawPer::Row => {
                let other = start + rng.below(others) as u32;
                if other >= row { other + 1 } else { other }
            }
        };
        Some(match kind {
            MixKind::MixUp => Mix { partner, how: Mixed::MixUp, weight },
            MixKind::CutMix => {
                let window = cut_window(&mut rng, weight, size);
                let weight = 1.0 - window.size.area() as f64 / size.area() as f64;
                Mix { partner, how: Mixed::CutMix(window), weight }
            }
        })
    }

    /// Writes the class weights of one row: `weight` of `label`, the rest of the partner's; all of `label` without a mix; smoothed.
    /// Labels are indices into `out`.
    pub fn soft_label(&self, label: i64, mixed_with: Option<(i64, f64)>, out: &mut [f32]) {
        soft_label(label, mixed_with, out);
        if self.smoothing > 0.0 {
            let (own, all) = ((1.0 - self.smoothing) as f32, (self.smoothing / out.len() as f64) as f32);
            out.iter_mut().for_each(|weight| *weight = *weight * own + all);
        }
    }

    /// Whether MixUp may happen.
    pub fn blends(&self) -> bool {
        let mixup = |kind: Kind| kind.kind == MixKind::MixUp;
        match self.how {
            How::One(kind) => mixup(kind),
            How::Either(_, one, other) => mixup(one) || mixup(other),
        }
    }
}

/// The box of CutMix as torchvision draws it: centre uniform over the pixels, half sides `0.5 sqrt(1 - weight)` of the image's,
/// cut off to whole pixels, and cut at the edges.
fn cut_window(rng: &mut Rng, weight: f64, size: Size) -> Window {
    let half = 0.5 * (1.0 - weight).sqrt();
    let mut span = |side: u32| {
        let centre = rng.below(u64::from(side)) as u32;
        let reach = (half * f64::from(side)) as u32;
        (centre.saturating_sub(reach), (centre + reach).min(side))
    };
    let ((x1, x2), (y1, y2)) = (span(size.width), span(size.height));
    Window { x: x1, y: y1, size: Size::new(x2 - x1, y2 - y1) }
}

/// Class weights of one row, not smoothed.
fn soft_label(label: i64, mixed_with: Option<(i64, f64)>, out: &mut [f32]) {
    out.fill(0.0);
    let mut add = |label: i64, weight: f64| {
        if let Some(out) = usize::try_from(label).ok().and_then(|label| out.get_mut(label)) {
            *out += weight as f32;
        }
    };
    match mixed_with {
        Some((partner, weight)) if partner != label => {
            add(label, weight);
            add(partner, 1.0 - weight);
        }
        _ => add(label, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(40, 30);

    fn mixing(kind: MixKind, per: DrawPer) -> Mixing {
        let how = How::One(Kind { kind, alpha: 1.0, p: 1.0 });
        Mixing { how, per, group: 16, smoothing: 0.0, off_from_epoch: None }
    }

    fn draws(mixing: &Mixing, rows: u64) -> Vec<Option<Mix>> {
        (0..rows as u32).map(|row| mixing.draw(5, (1, 2), &(1000..1000 + rows), row, SIZE)).collect()
    }

    #[test]
    fn a_partner_is_another_row_of_the_same_group() {
        for per in [DrawPer::Row, DrawPer::Batch] {
            let drawn = draws(&mixing(MixKind::MixUp, per), 49);
            for (row, mix) in drawn.iter().enumerate().take(48) {
                let mix = mix.expect("p is 1");
                assert_eq!(mix.partner / 16, row as u32 / 16);
                assert_ne!(mix.partner, row as u32);
            }
            assert_eq!(drawn[48], None, "a group of one stays as it is");
        }
        let batch = draws(&mixing(MixKind::MixUp, DrawPer::Batch), 32);
        assert_eq!((batch[0].expect("mixed").partner, batch[17].expect("mixed").partner), (15, 16));
        assert_eq!(batch[3].expect("mixed").weight, batch[30].expect("mixed").weight);
    }

    #[test]
    fn the_weight_of_cutmix_is_the_share_of_pixels_left() {
        for mix in draws(&mixing(MixKind::CutMix, DrawPer::Row), 64).into_iter().flatten() {
            let Mixed::CutMix(window) = mix.how else { panic!("CutMix was asked for") };
            assert!(window.x + window.size.width <= 40 && window.y + window.size.height <= 30);
            assert_eq!(mix.weight, 1.0 - window.size.area() as f64 / 1200.0);
        }
    }

    #[test]
    fn draws_do_not_depend_on_which_other_rows_are_asked_for() {
        let mixing = mixing(MixKind::CutMix, DrawPer::Row);
        let all = draws(&mixing, 32);
        assert_eq!(mixing.draw(5, (1, 2), &(1000..1032), 20, SIZE), all[20]);
    }

    #[test]
    fn probability_leaves_rows_unmixed() {
        let with = |p| How::One(Kind { kind: MixKind::MixUp, alpha: 1.0, p });
        let some = Mixing { how: with(0.5), ..mixing(MixKind::MixUp, DrawPer::Row) };
        let mixed = draws(&some, 1600).iter().flatten().count();
        assert!((700..900).contains(&mixed), "{mixed}");
        assert!(draws(&Mixing { how: with(0.0), ..some }, 32).iter().all(Option::is_none));
    }

    #[test]
    fn soft_labels_sum_to_one() {
        let mut out = [9.0; 4];
        soft_label(1, Some((3, 0.25)), &mut out);
        assert_eq!(out, [0.0, 0.25, 0.0, 0.75]);
        soft_label(1, Some((1, 0.25)), &mut out);
        assert_eq!(out, [0.0, 1.0, 0.0, 0.0]);
        soft_label(2, None, &mut out);
        assert_eq!(out, [0.0, 0.0, 1.0, 0.0]);
    }

    #[test]
    fn one_of_both_is_drawn_with_its_probability_per_row_and_per_batch() {
        let kind = |kind, alpha| Kind { kind, alpha, p: 1.0 };
        let how = How::Either(0.25, kind(MixKind::CutMix, 1.0), kind(MixKind::MixUp, 0.8));
        let either = Mixing { how, ..mixing(MixKind::MixUp, DrawPer::Row) };
        let is_cut = |mix: &&Mix| matches!(mix.how, Mixed::CutMix(_));
        let cut = draws(&either, 1600).iter().flatten().filter(is_cut).count();
        assert!((330..470).contains(&cut), "{cut} of 1600, expected 400");
        let whole = draws(&Mixing { per: DrawPer::Batch, ..either.clone() }, 32);
        let cut = whole.iter().flatten().filter(is_cut).count();
        assert!(cut == 0 || cut == 32, "a batch is of one kind");
        assert!(either.blends() && !mixing(MixKind::CutMix, DrawPer::Row).blends());
    }

    #[test]
    fn mixing_ends_with_its_last_epoch() {
        let until = Mixing { off_from_epoch: Some(2), ..mixing(MixKind::CutMix, DrawPer::Row) };
        let drawn = |epoch| until.draw(5, (epoch, 0), &(0..32), 3, SIZE);
        assert!(drawn(0).is_some() && drawn(1).is_some());
        assert!(drawn(2).is_none() && drawn(3).is_none());
    }

    #[test]
    fn smoothing_gives_every_class_its_share() {
        let smooth = Mixing { smoothing: 0.1, ..mixing(MixKind::CutMix, DrawPer::Row) };
        let mut out = [0.0; 4];
        smooth.soft_label(1, None, &mut out);
        let near = |x: f32, y: f32| (x - y).abs() < 1e-6;
        // torch's CrossEntropyLoss(label_smoothing=0.1): 0.9 and a quarter of 0.1 for the class, the quarter for each other.
        assert!(near(out[1], 0.925) && near(out[0], 0.025) && near(out.iter().sum(), 1.0));
        smooth.soft_label(1, Some((3, 0.25)), &mut out);
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
            let how = How::One(Kind { kind: MixKind::MixUp, alpha, p: 1.0 });
            let mixing = Mixing { how, ..mixing(MixKind::MixUp, DrawPer::Row) };
            let mut weights: Vec<f64> = draws(&mixing, 10_000).iter().flatten().map(|mix| mix.weight).collect();
            weights.sort_by(f64::total_cmp);
            let ranks = weights.iter().zip(1..);
            let distance =
                ranks.map(|(x, rank)| (cumulative(*x) - f64::from(rank) / 10_000.0).abs()).fold(0.0, f64::max);
            assert!(distance * 100.0 < 1.95, "alpha {alpha}: {distance}");
        }
    }
}
