use super::{Worker, write};
use crate::batch::{Marks, Mixed, Pasted, paste, paste_pixels, paste_shifted};
use crate::engine::error::BatchError;
use crate::engine::making::{Making, RowDone, Staged};
use crate::engine::statistics::Clock;
use crate::image::{Image, Pixels, ValuesMut};

impl Worker {
    /// Mixes a row with its partners, if it is mixed, and writes it.
    pub(super) fn mix(&mut self, making: &Making, row: usize) -> Result<(), BatchError> {
        let mut clock = Clock::start();
        // A row that could not be made has noted why.
        let Some(own) = making.staged(row) else { return Ok(()) };
        let (how, partners) = match &making.rows[row].mix {
            None => (None, Vec::new()),
            Some((mix, partners)) => match partners.iter().map(|partner| making.staged(*partner)).collect() {
                None => return Ok(()),
                Some(partners) => (Some(mix.how), partners),
            },
        };
        // Objects of each view of the partner.
        let pasted: Vec<Option<Pasted>> = (0..own.views.len()).map(|view| pasted(how, &partners, view)).collect();
        let writer = &making.form.writers[0];
        let size = own.views.first().map_or(making.recipe.largest(), Image::size);
        let crc32c = making.write_row(0, row, |slot| {
            let mut rest = &mut slot[..];
            for (view, image) in own.views.iter().enumerate() {
                let others: Vec<&Image<'_>> =
                    partners.iter().filter_map(|partner: &&Staged| partner.views.get(view)).collect();
                rest = write(making, 0, rest, size, |out| match (how, &others[..]) {
                    (Some(Mixed::MixUp(weight)), [partner]) => {
                        writer.write_blend(image, partner, weight as f32, out);
                    }
                    (Some(how), [first, ..]) => {
                        let mut mixed = match how {
                            // Its quadrants cover everything.
                            Mixed::Mosaic(_) => self.like(image),
                            _ => self.copy(image),
                        };
                        match how {
                            Mixed::CutMix(window) => paste(&mut mixed, first, window),
                            Mixed::Mosaic(mosaic) => {
                                for (part, quadrant) in [image].iter().chain(&others).zip(mosaic.quadrants(size)) {
                                    paste_shifted(&mut mixed, part, quadrant.window, quadrant.at);
                                }
                            }
                            Mixed::CopyPaste(..) => {
                                let pasted = pasted[view].as_ref();
                                paste_pixels(&mut mixed, first, pasted.map_or(&[], Pasted::pixels));
                            }
                            // Written above: it has no image of its own.
                            Mixed::MixUp(_) => {}
                        }
                        writer.write(&mixed, out);
                        self.scratch.recycle(mixed);
                    }
                    _ => writer.write(image, out),
                });
            }
            let unwritten = rest.len();
            feedline_proto::crc32c::of(&slot[..slot.len() - unwritten])
        })?;
        if let Some(chosen) = making.noted(row) {
            let partner_labels = partners.iter().map(|partner| partner.label).collect();
            let rules = &making.recipe.targets.rules;
            let mixed = |(view, own): (usize, &Marks)| {
                let others: Vec<&Marks> = partners.iter().filter_map(|partner| partner.marks.get(view)).collect();
                match (how, &others[..]) {
                    (Some(Mixed::MixUp(_)), [partner]) => own.blended(partner),
                    (Some(Mixed::CutMix(window)), [partner]) => own.pasted(partner, window, rules),
                    (Some(Mixed::Mosaic(mosaic)), [b, c, d]) => Marks::of_mosaic([own, b, c, d], &mosaic, rules),
                    (Some(Mixed::CopyPaste(..)), [partner]) => match &pasted[view] {
                        Some(pasted) => own.with_objects(partner, pasted, rules),
                        None => own.clone(),
                    },
                    _ => own.clone(),
                }
            };
            let marks = own.marks.iter().enumerate().map(mixed).collect();
            let (label, crc32c) = (own.label, vec![crc32c]);
            making.row_done(row, RowDone { label, partner_labels, chosen, size, crc32c, marks });
        }
        clock.lap(&mut self.tally.collate_ns);
        Ok(())
    }

    /// An image of the form of `image`, of any content.
    fn like(&mut self, image: &Image<'_>) -> Image<'static> {
        match image.pixels() {
            Pixels::U8(values) => Image::from_u8(image.size(), image.channels(), self.scratch.bytes(values.len())),
            Pixels::F32(values) => Image::from_f32(image.size(), image.channels(), self.scratch.floats(values.len())),
        }
    }

    fn copy(&mut self, image: &Image<'_>) -> Image<'static> {
        let mut copy = self.like(image);
        match (copy.values_mut(), image.pixels()) {
            (ValuesMut::U8(copy), Pixels::U8(values)) => copy.copy_from_slice(values),
            (ValuesMut::F32(copy), Pixels::F32(values)) => copy.copy_from_slice(values),
            // It is of one type with the image.
            _ => {}
        }
        copy
    }
}

/// What is pasted into a view, if it is objects.
fn pasted(how: Option<Mixed>, partners: &[&Staged], view: usize) -> Option<Pasted> {
    match how {
        Some(Mixed::CopyPaste(objects, key)) => Some(objects.draw(key, partners.first()?.marks.get(view)?)),
        _ => None,
    }
}
