//! Data behind the last pixel of a JPEG file. Where a file is damaged, codes are often read out of step from there on, and yet
//! all of them exist: then the last pixel comes too early or too late. Too late is an error of the decoder. Too early it does
//! not notice, as libjpeg does not either but for a warning.

use libjpeg_turbo_rs::decode::bitstream::BitReader;
use libjpeg_turbo_rs::decode::entropy::{McuDecoder, resolve_mcu_plan};
use libjpeg_turbo_rs::decode::marker::{JpegMetadata, MarkerReader};

/// Number of bytes between the last pixel and the end of the data, for a file of one sequential scan; none for other files, and
/// for those that do not decode. Takes about as long as decoding.
pub(super) fn count(bytes: &[u8]) -> Option<usize> {
    let file = MarkerReader::new(bytes).read_markers().ok()?;
    let (frame, scan) = (&file.frame, &file.scan);
    let sequential = !(frame.is_progressive || frame.is_lossless || file.is_arithmetic);
    if !sequential || file.scans.len() != 1 || scan.components.len() != frame.components.len() {
        return None;
    }
    let plan = resolve_mcu_plan(frame, scan, &file.dc_huffman_tables, &file.ac_huffman_tables).ok()?;
    let data = bytes.get(file.entropy_data_offset..)?;
    let mut reader = BitReader::new(data);
    let mut decoder = McuDecoder::new(frame.components.len());
    let mut block = [0; 64];
    let single = plan.len() == 1;
    for unit in 0..units(&file)? {
        if file.restart_interval > 0 && unit > 0 && unit % u64::from(file.restart_interval) == 0 {
            reader.reset();
            decoder.reset();
        }
        for component in &plan {
            for _ in 0..if single { 1 } else { component.num_blocks } {
                let tables = (component.dc_table, component.ac_table);
                decoder.decode_block(&mut reader, component.comp_idx, tables.0, tables.1, &mut block).ok()?;
            }
        }
    }
    if reader.insufficient_data() {
        return None;
    }
    let state = reader.state();
    // Less than eight bits fill up the last byte.
    let buffered = u32::from(state.bits_left).saturating_sub(state.stuffed_bits) / 8;
    Some(buffered as usize + length_of_data(data.get(state.pos..).unwrap_or_default()))
}

/// Number of units of the scan: a block, where there is but one component, else as many blocks of each as it has samples.
fn units(file: &JpegMetadata) -> Option<u64> {
    let components = &file.frame.components;
    let widest = components.iter().map(|component| u64::from(component.horizontal_sampling)).max()?;
    let highest = components.iter().map(|component| u64::from(component.vertical_sampling)).max()?;
    let (across, down) = if components.len() == 1 { (8, 8) } else { (8 * widest, 8 * highest) };
    let (width, height) = (u64::from(file.frame.width), u64::from(file.frame.height));
    (across > 0 && down > 0).then(|| width.div_ceil(across) * height.div_ceil(down))
}

/// Bytes up to the next marker. A zero behind 0xff says that it is none.
fn length_of_data(bytes: &[u8]) -> usize {
    let marker = bytes.windows(2).position(|pair| pair[0] == 0xff && pair[1] != 0);
    let data = &bytes[..marker.unwrap_or(bytes.len())];
    data.len() - data.windows(2).filter(|pair| *pair == [0xff, 0]).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};

    #[test]
    fn data_behind_the_last_pixel_is_counted() {
        for (format, subsampling) in [
            (PixelFormat::Rgb, Subsampling::S420),
            (PixelFormat::Rgb, Subsampling::S444),
            (PixelFormat::Grayscale, Subsampling::S444),
        ] {
            let values: Vec<u8> = (0..45 * 37 * format.bytes_per_pixel()).map(|at| (at * at % 253) as u8).collect();
            let bytes = compress(&values, 45, 37, format, 90, subsampling).expect("a JPEG file");
            assert_eq!(count(&bytes), Some(0), "{subsampling:?}");
            let (data, end) = bytes.split_at(bytes.len() - 2);
            assert_eq!(count(&[data, &[7; 30], end].concat()), Some(30), "{subsampling:?}");
            assert_eq!(count(&[data, &[7, 0xff, 0, 7], end].concat()), Some(3), "{subsampling:?}");
            assert_eq!(count(&[&data[..data.len() - 9], end].concat()), None, "{subsampling:?}");
        }
    }
}
