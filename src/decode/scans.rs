//! What the markers of a JPEG file promise, and whether the file holds it. The decoder tells data that is wrong; here is told
//! data that is not there, which a decoder takes for zeros.

use crate::header::{Segment, Segments, is_frame};

/// Checks that every component was sent, that restart markers come in order, and that the file has an end. Returns what is
/// odd and yet harms no pixel.
///
/// # Errors
/// What is missing.
pub(super) fn check(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut components: Vec<Component> = Vec::new();
    let mut segments = Segments::new(bytes);
    let mut next_restart = 0;
    let mut progressive = false;
    let mut ended = false;
    while let Some(Segment { marker, content, .. }) = segments.next()? {
        match marker {
            0xd0..=0xd7 => {
                let restart = marker - 0xd0;
                if restart != next_restart {
                    return Err(format!("restart marker {restart} where {next_restart} was due"));
                }
                next_restart = (next_restart + 1) % 8;
            }
            0xd9 => {
                ended = true;
                break;
            }
            0xda => {
                next_restart = 0;
                note_scan(content, &mut components);
            }
            // A second frame header is refused by the decoder.
            frame if is_frame(frame) => {
                progressive = matches!(frame, 0xc2 | 0xca);
                let table = content.get(6..).unwrap_or_default();
                components = table.chunks_exact(3).map(|entry| Component::new(entry[0])).collect();
            }
            _ => {}
        }
    }
    if let Some(missing) = components.iter().position(|component| component.missing[0] == UNSENT) {
        return Err(format!("component {missing} was never sent"));
    }
    let mut warnings = Vec::new();
    if progressive && components.iter().any(|component| component.missing.iter().any(|&bits| bits != 0)) {
        warnings.push("not every bit of every coefficient was sent".to_owned());
    }
    if !ended {
        warnings.push(NO_END.to_owned());
    }
    Ok(warnings)
}

/// Whether a file of a single scan ends as it should. Trailing bytes are common, a file cut in them is whole.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    bytes.ends_with(&END) || bytes.windows(2).rev().any(|pair| pair == END)
}

/// The warning about a file that lacks its last marker.
pub(super) const NO_END: &str = "no end-of-image marker";

const END: [u8; 2] = [0xff, 0xd9];

/// More bits than a coefficient can lack.
const UNSENT: u8 = u8::MAX;

/// What of a component has been sent so far.
struct Component {
    id: u8,
    /// Per coefficient, how many low bits are still to come.
    missing: [u8; 64],
}

impl Component {
    fn new(id: u8) -> Self {
        Component { id, missing: [UNSENT; 64] }
    }
}

/// Takes down what a scan brings, by its header: number of components, their selectors, first and last coefficient, and the
/// bits.
fn note_scan(content: &[u8], components: &mut [Component]) {
    let Some((&count, rest)) = content.split_first() else { return };
    let Some((selectors, [first, last, bits, ..])) = rest.split_at_checked(usize::from(count) * 2) else { return };
    let band = usize::from(*first)..=usize::from(*last).min(63);
    for selector in selectors.chunks_exact(2) {
        for component in components.iter_mut().filter(|component| component.id == selector[0]) {
            for missing in component.missing.get_mut(band.clone()).unwrap_or_default() {
                *missing = bits & 0x0f;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: [u8; 2] = [0xff, 0xd8];

    /// A progressive frame header of two components.
    const FRAME: [u8; 16] = [0xff, 0xc2, 0, 14, 8, 0, 8, 0, 8, 2, 1, 0x11, 0, 2, 0x11, 0];

    /// The header of a scan of one component, and a byte of data.
    fn scan(component: u8, first: u8, last: u8, bits: u8) -> Vec<u8> {
        vec![0xff, 0xda, 0, 8, 1, component, 0, first, last, bits, 0x55]
    }

    fn file(scans: &[Vec<u8>]) -> Vec<u8> {
        [&START[..], &FRAME, &scans.concat(), &END].concat()
    }

    #[test]
    fn a_component_that_was_never_sent_is_missing_data() {
        let both = [scan(1, 0, 0, 0), scan(2, 0, 0, 0), scan(1, 1, 63, 0), scan(2, 1, 63, 0)];
        assert_eq!(check(&file(&both)), Ok(vec![]));
        assert_eq!(check(&file(&both[..1])), Err("component 1 was never sent".to_owned()));
        let coarse = vec!["not every bit of every coefficient was sent".to_owned()];
        assert_eq!(check(&file(&both[..3])), Ok(coarse.clone()));
        let unrefined = [&both[..3], &[scan(2, 1, 63, 1)]].concat();
        assert_eq!(check(&file(&unrefined)), Ok(coarse));
    }

    #[test]
    fn restart_markers_come_in_order_in_every_scan() {
        let both = [scan(1, 0, 63, 0), vec![0xff, 0xd0, 1, 0xff, 0xd1, 1], scan(2, 0, 63, 0), vec![0xff, 0xd0, 1]];
        assert_eq!(check(&file(&both)), Ok(vec![]));
        let lost = [scan(1, 0, 63, 0), vec![0xff, 0xd1, 1], scan(2, 0, 63, 0)];
        assert_eq!(check(&file(&lost)), Err("restart marker 1 where 0 was due".to_owned()));
    }

    #[test]
    fn a_missing_end_is_listed() {
        let mut bytes = file(&[scan(1, 0, 63, 0), scan(2, 0, 63, 0)]);
        assert!(has_end(&bytes));
        bytes.truncate(bytes.len() - 1);
        assert!(!has_end(&bytes));
        bytes.pop();
        assert_eq!(check(&bytes), Ok(vec![NO_END.to_owned()]));
        assert!(has_end(&[&END[..], b"trailing"].concat()));
    }
}
