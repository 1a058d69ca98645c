use std::ops::Range;

use super::Marks;
use super::paste::which;
use crate::image::Size;
use crate::sample::{BoundingBox, Rules};
use crate::seed::Key;

/// How many of a partner's objects are pasted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objects {
    /// Probability that an object is pasted.
    pub object_p: f64,
    /// Most objects of one row.
    pub most: u32,
}

/// Objects that are pasted at the place where they are in their image.
#[derive(Clone, Debug, PartialEq)]
pub struct Pasted {
    /// Their boxes.
    boxes: Vec<BoundingBox>,
    /// Whether a pixel is pasted, for every pixel of the image.
    pixels: Vec<bool>,
}

impl Objects {
    /// Draws which objects of `partner` are pasted. An object has the pixels whose centres are in its box; if masks travel, those
    /// of them where a mask is not 0. One without pixels is not pasted.
    pub fn draw(&self, key: Key, partner: &Marks) -> Pasted {
        let mut rng = key.rng();
        let mut order: Vec<usize> = (0..partner.boxes.len()).collect();
        rng.shuffle(&mut order);
        let drawn = order.into_iter().filter(|_| rng.chance(self.object_p));
        let mut drawn: Vec<usize> = drawn.take(self.most as usize).collect();
        drawn.sort_unstable();
        let mut pixels = vec![false; partner.size.area() as usize];
        let shows = |place: &usize| {
            let masks = &partner.masks;
            masks.is_empty() || masks.iter().any(|mask| mask.classes.get(*place).is_some_and(|class| *class != 0))
        };
        let mut paste = |own: &BoundingBox| {
            let mut any = false;
            for place in places(own, partner.size).filter(shows) {
                pixels[place] = true;
                any = true;
            }
            any
        };
        let boxes = drawn.into_iter().map(|at| partner.boxes[at]).filter(|own| paste(own)).collect();
        Pasted { boxes, pixels }
    }
}

impl Pasted {
    /// Which pixels are pasted.
    pub fn pixels(&self) -> &[bool] {
        &self.pixels
    }

    /// The share of the pixels of a box, by their centres, that is not covered. All of one so small that it has none.
    fn left_of(&self, own: &BoundingBox, size: Size) -> f64 {
        let (all, left) = places(own, size)
            .fold((0_u64, 0_u64), |(all, left), place| (all + 1, left + u64::from(!self.pixels[place])));
        if all == 0 { 1.0 } else { left as f64 / all as f64 }
    }
}

/// The pixels of an image of `size` whose centres are in a box.
fn places(own: &BoundingBox, size: Size) -> impl Iterator<Item = usize> + use<> {
    // Of the edge at x, the first pixel whose centre is not left of it: half a pixel is not cut off twice, or pasted twice.
    let from = |edge: f64, side: u32| ((edge - 0.5).ceil().max(0.0) as u32).min(side) as usize;
    let span = |low, high, side| -> Range<usize> { from(low, side)..from(high, side) };
    let (columns, rows) = (span(own.x_min, own.x_max, size.width), span(own.y_min, own.y_max, size.height));
    rows.flat_map(move |row| columns.clone().map(move |column| row * size.width as usize + column))
}

impl Marks {
    /// Marks of an image into which objects of the partner are pasted.
    ///
    /// - A box of the row goes if nothing of it is left uncovered, or a smaller share of its pixels than `min_visibility`. One that
    ///   stays is unchanged. The boxes of the objects follow, whole.
    /// - Masks are pasted as the image is.
    #[must_use]
    pub fn with_objects(&self, partner: &Marks, pasted: &Pasted, rules: &Rules) -> Self {
        let stays = |own: &&BoundingBox| {
            let left = pasted.left_of(own, self.size);
            left > 0.0 && left >= rules.boxes.min_visibility
        };
        let own = self.boxes.iter().filter(stays);
        let boxes = own.chain(&pasted.boxes).copied().collect();
        let mut masks = self.masks.clone();
        for (onto, from) in masks.iter_mut().zip(&partner.masks) {
            which(&mut onto.classes, &from.classes, &pasted.pixels);
        }
        Marks { size: self.size, boxes, keypoints: self.keypoints.clone(), masks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{BoxRules, Mask};
    use crate::seed::Purpose;

    const SIZE: Size = Size::new(10, 10);
    const ALL: Objects = Objects { object_p: 1.0, most: 100 };

    fn key(position: u64) -> Key {
        Key { seed: 1, epoch: 0, position, view: 0, op: 0, purpose: Purpose::MixObjects }
    }

    fn marks(boxes: &[[f64; 4]], masks: Vec<Mask>) -> Marks {
        let boxes = boxes.iter().zip(0..).map(|(corners, label)| BoundingBox::with_corners(*corners, label)).collect();
        Marks { size: SIZE, boxes, keypoints: Vec::new(), masks }
    }

    fn mask(class: impl Fn(usize, usize) -> u8) -> Mask {
        Mask { size: SIZE, classes: (0..100).map(|place| class(place % 10, place / 10)).collect() }
    }

    fn found(marks: &Marks) -> Vec<[f64; 4]> {
        marks.boxes.iter().map(BoundingBox::corners).collect()
    }

    #[test]
    fn without_masks_an_object_is_its_box() {
        let partner = marks(&[[1.0, 2.0, 4.0, 5.0], [8.4, 8.6, 9.7, 10.0], [5.1, 5.1, 5.4, 5.4]], Vec::new());
        let pasted = ALL.draw(key(0), &partner);
        let pixels: Vec<usize> = (0..100).filter(|place| pasted.pixels()[*place]).collect();
        assert_eq!(pixels, [21, 22, 23, 31, 32, 33, 41, 42, 43, 98, 99]);
        // The last one lies between the centres of pixels: there is nothing to paste.
        assert_eq!(pasted.boxes.len(), 2);
        let whole = marks(&[], Vec::new()).with_objects(&partner, &pasted, &Rules::default());
        assert_eq!(found(&whole), [[1.0, 2.0, 4.0, 5.0], [8.4, 8.6, 9.7, 10.0]]);
    }

    #[test]
    fn with_masks_an_object_is_what_they_show_of_its_box() {
        let diagonal = mask(|x, y| if x == y { 7 } else { 0 });
        let partner = marks(&[[0.0, 0.0, 3.0, 3.0], [6.0, 0.0, 9.0, 3.0]], vec![diagonal, mask(|_, _| 0)]);
        let pasted = ALL.draw(key(0), &partner);
        let own = marks(&[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 1.0]], vec![mask(|_, _| 1), mask(|_, _| 2)]);
        let whole = own.with_objects(&partner, &pasted, &Rules::default());
        // The second object shows nothing in any mask; the row's first box is covered, its second one half.
        assert_eq!(found(&whole), [[0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 3.0, 3.0]]);
        assert_eq!(whole.masks[0], mask(|x, y| if x == y && x < 3 { 7 } else { 1 }));
        assert_eq!(whole.masks[1], mask(|x, y| if x == y && x < 3 { 0 } else { 2 }));
    }

    #[test]
    fn boxes_that_are_covered_too_far_go_and_others_stay_as_they_are() {
        let own = marks(&[[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, 4.0, 10.0], [6.0, 6.0, 9.0, 9.0]], Vec::new());
        let partner = marks(&[[0.0, 0.0, 4.0, 6.0]], Vec::new());
        let pasted = ALL.draw(key(0), &partner);
        let left = |min_visibility| {
            let boxes = BoxRules { min_visibility, ..Default::default() };
            let rules = Rules { boxes, ..Default::default() };
            let whole = own.with_objects(&partner, &pasted, &rules);
            assert_eq!(whole.boxes.last(), partner.boxes.first());
            found(&whole)[..whole.boxes.len() - 1].to_vec()
        };
        assert_eq!(left(0.4), found(&own), "0.6, 0.4 and all of them are left");
        assert_eq!(left(0.41), [found(&own)[0], found(&own)[2]]);
        assert_eq!(left(0.61), [found(&own)[2]]);
        assert_eq!(left(1.0), [found(&own)[2]]);
        let covered = marks(&[[1.0, 1.0, 3.0, 3.0]], Vec::new());
        assert_eq!(covered.with_objects(&partner, &pasted, &Rules::default()).boxes.len(), 1);
    }

    #[test]
    fn objects_are_drawn_alike_up_to_the_most() {
        let corners: Vec<[f64; 4]> = (0..8).map(|at| [f64::from(at), 0.0, f64::from(at) + 1.0, 1.0]).collect();
        let partner = marks(&corners, Vec::new());
        let draws = |objects: Objects| {
            let (mut times, mut most) = ([0; 8], 0);
            for position in 0..4000 {
                let pasted = objects.draw(key(position), &partner);
                assert!(pasted.boxes.is_sorted_by_key(|own| own.label), "in the order of the partner");
                most = most.max(pasted.boxes.len());
                pasted.boxes.iter().for_each(|own| times[own.label as usize] += 1);
            }
            (times, most)
        };
        // Five standard deviations of 4000 draws are 137 and 158.
        let (times, most) = draws(Objects { object_p: 0.25, most: 100 });
        assert!(times.iter().all(|times| (863..1137).contains(times)) && most > 5, "{times:?}");
        let (times, most) = draws(Objects { object_p: 1.0, most: 3 });
        assert!(times.iter().all(|times| (1342..1658).contains(times)) && most == 3, "{times:?}");
    }
}
