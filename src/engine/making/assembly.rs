use std::sync::{Arc, OnceLock, PoisonError};
use std::time::Instant;

use feedline_proto::v1;

use super::{Making, RowDone};
use crate::batch::Mixing;
use crate::engine::batch::Batch;
use crate::engine::error::BatchError;
use crate::engine::targets::{self, Counts};
use crate::tensor::Tensor;

impl Making {
    /// The batch of the rows that are written.
    pub(super) fn assembled(&self) -> Result<Batch, BatchError> {
        let internal = |what: &str| BatchError::Internal(format!("{what} of {} is missing", self.key.cursor));
        self.ensure_slots();
        let slots = self.slots.write().unwrap_or_else(PoisonError::into_inner).take();
        let buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(slots), Some(mut buffer)) = (slots, buffer) else { return Err(internal("the payload")) };
        buffer.put(slots.into_memory());
        let done: Vec<&RowDone> = self.done.iter().filter_map(OnceLock::get).collect();
        if done.len() != self.own {
            return Err(internal("a row"));
        }
        let size = done.first().map_or(self.recipe.largest(), |row| row.size);
        let groups = &self.recipe.groups;
        let samples: Vec<_> = done.iter().map(|row| &row.marks[..]).collect();
        let marks = targets::by_group(groups, &samples);
        let counts: Vec<Counts> = marks.iter().map(|rows| targets::counts(rows)).collect();
        let (tensors, payload_bytes) = self.tensors(size, &counts);
        let payload = &mut buffer.bytes_mut()[..payload_bytes as usize];
        let (images, others) = tensors.split_at(groups.len());
        // Between tensors and after the last one are zeros, whatever the memory was used for before.
        let mut end = 0;
        for tensor in images {
            payload[end..tensor.offset as usize].fill(0);
            end = (tensor.offset + tensor.bytes) as usize;
        }
        payload[end..].fill(0);
        for tensor in others {
            let bytes = &mut payload[tensor.offset as usize..(tensor.offset + tensor.bytes) as usize];
            match tensor.name.as_str() {
                name if targets::write(name, groups, &marks, self.form.box_format, bytes) => {}
                "label" => match &self.recipe.mixing {
                    Some(mixing) if self.recipe.has_soft_labels() => {
                        self.soft_labels(mixing, &done, bytemuck::cast_slice_mut(bytes))
                    }
                    _ => fill(bytes, done.iter().map(|row| row.label)),
                },
                _ => fill(bytes, done.iter().map(|row| row.chosen.sample as i64)),
            }
        }
        let crc32c = checksum(payload, images, &done);
        let length = self.recipe.plan.length();
        let own = self.rows.iter().take(self.own).enumerate();
        let wrapped_rows = own.filter(|(_, row)| row.position >= length).map(|(row, _)| row as u32).collect();
        let substitutions = done.iter().enumerate().filter_map(|(row, done)| {
            let (damaged, cause) = done.chosen.instead_of.clone()?;
            Some(v1::Substitution { row: row as u32, damaged, substitute: done.chosen.sample, cause })
        });
        Ok(Batch {
            recipe: Arc::clone(&self.recipe),
            cursor: self.key.cursor,
            samples: done.iter().map(|row| row.chosen.sample).collect(),
            first_row: self.first_row,
            global_rows: self.global_rows,
            wrapped_rows,
            substitutions: substitutions.collect(),
            crc32c,
            timings: self.timings(),
            finished: Instant::now(),
            tensors,
            payload_bytes: payload_bytes as usize,
            buffer,
        })
    }

    fn soft_labels(&self, mixing: &Mixing, done: &[&RowDone], out: &mut [f32]) {
        let classes = self.recipe.dataset.classes.len();
        for ((plan, row), out) in self.rows.iter().zip(done).zip(out.chunks_exact_mut(classes.max(1))) {
            let labels = [row.label].into_iter().chain(row.partner_labels.iter().copied());
            match &plan.mix {
                None => mixing.soft_label(&[(row.label, 1.0)], 1.0, out),
                Some((mix, _)) => {
                    let shares: Vec<(i64, f64)> = labels.zip(mix.shares.iter().copied()).collect();
                    mixing.soft_label(&shares, mix.whole, out);
                }
            }
        }
    }
}

/// CRC32C of the payload, of whose images every row was summed when it was written.
fn checksum(payload: &[u8], images: &[Tensor], rows: &[&RowDone]) -> u32 {
    let (mut crc, mut end) = (0, 0);
    for (index, tensor) in images.iter().enumerate() {
        crc = feedline_proto::crc32c::append(crc, &payload[end..tensor.offset as usize]);
        let row_bytes = tensor.bytes as usize / rows.len().max(1);
        let behind = feedline_proto::crc32c::Behind::new(row_bytes);
        let summed = rows.iter().filter_map(|row| row.crc32c.get(index));
        crc = summed.fold(crc, |crc, row| behind.combined(crc, *row));
        end = (tensor.offset + tensor.bytes) as usize;
    }
    feedline_proto::crc32c::append(crc, &payload[end..])
}

fn fill(bytes: &mut [u8], values: impl Iterator<Item = i64>) {
    bytes.chunks_exact_mut(8).zip(values).for_each(|(out, x)| out.copy_from_slice(&x.to_le_bytes()));
}
