//! How often each of the 256 values occurs.

/// Counts of one channel.
pub(super) type Counts = [u32; 256];

/// Counts of each of 3 channels, or of 1: then the others are zero. An image has fewer than 2^32 pixels.
pub(super) fn of_channels(values: &[u8], channels: usize) -> [Counts; 3] {
    // Neighbours often have the same value, and a count that was just written is slow to read: so they count in turns.
    let mut turns = [[[0_u32; 256]; 3]; 2];
    if channels == 3 {
        let (pairs, rest) = values.as_chunks::<6>();
        for pair in pairs {
            for (index, value) in pair.iter().enumerate() {
                turns[index / 3][index % 3][usize::from(*value)] += 1;
            }
        }
        rest.iter().enumerate().for_each(|(index, value)| turns[0][index % 3][usize::from(*value)] += 1);
    } else {
        let (fours, rest) = values.as_chunks::<4>();
        for four in fours {
            for (index, value) in four.iter().enumerate() {
                turns[index % 2][index / 2][usize::from(*value)] += 1;
            }
        }
        rest.iter().for_each(|value| turns[0][0][usize::from(*value)] += 1);
        for turn in &mut turns {
            let [first, second, _] = turn;
            first.iter_mut().zip(second).for_each(|(a, b)| *a += std::mem::take(b));
        }
    }
    let [mut counts, others] = turns;
    for (channel, other) in counts.iter_mut().zip(&others) {
        channel.iter_mut().zip(other).for_each(|(a, b)| *a += b);
    }
    counts
}

/// Counts of the first of three channels.
pub(super) fn of_first(pixels: &[[u8; 3]]) -> Counts {
    let mut turns = [[0_u32; 256]; 2];
    let (pairs, rest) = pixels.as_chunks::<2>();
    for [first, second] in pairs {
        turns[0][usize::from(first[0])] += 1;
        turns[1][usize::from(second[0])] += 1;
    }
    rest.iter().for_each(|pixel| turns[0][usize::from(pixel[0])] += 1);
    let [mut counts, others] = turns;
    counts.iter_mut().zip(others).for_each(|(a, b)| *a += b);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_counted_in_its_channel() {
        let values: Vec<u8> = (0..3 * 101_u32).map(|i| (i * i % 7) as u8).collect();
        for channels in [1, 3] {
            let counts = of_channels(&values, channels);
            assert_eq!(of_first(values.as_chunks().0), of_channels(&values, 3)[0]);
            for (channel, counts) in counts.iter().enumerate() {
                for value in 0..=255_u8 {
                    let own = values.iter().skip(channel).step_by(channels);
                    let expected = if channel < channels { own.filter(|x| **x == value).count() } else { 0 };
                    assert_eq!(counts[usize::from(value)] as usize, expected, "{channels} {channel} {value}");
                }
            }
        }
    }
}
