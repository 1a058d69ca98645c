use super::Padded;

/// One row of medians: the counts of the square's values move along with it, and the median with them.
pub(super) fn row(source: &Padded, y: usize, out: &mut [u8]) {
    let side = 2 * source.radius + 1;
    for channel in 0..source.channels {
        let mut square = Square { counts: [0; 256], median: 0, below: 0, half: (side * side / 2) as u32 };
        let column = |at: usize| {
            (y..y + side).map(move |row| source.values[row * source.stride + at * source.channels + channel])
        };
        (0..side).flat_map(column).for_each(|x| square.add(x));
        for (at, to) in out.iter_mut().skip(channel).step_by(source.channels).enumerate() {
            if at > 0 {
                column(at - 1).for_each(|x| square.remove(x));
                column(at + side - 1).for_each(|x| square.add(x));
            }
            *to = square.settle();
        }
    }
}

/// How often each value is in the square.
struct Square {
    counts: [u32; 256],
    /// The last median.
    median: u8,
    /// How many values are below it.
    below: u32,
    half: u32,
}

impl Square {
    fn add(&mut self, x: u8) {
        self.counts[usize::from(x)] += 1;
        self.below += u32::from(x < self.median);
    }

    fn remove(&mut self, x: u8) {
        self.counts[usize::from(x)] -= 1;
        self.below -= u32::from(x < self.median);
    }

    /// Moves the median to where not more than half of the values are below it, and more are when its own are counted.
    fn settle(&mut self) -> u8 {
        while self.below > self.half {
            self.median -= 1;
            self.below -= self.counts[usize::from(self.median)];
        }
        while self.below + self.counts[usize::from(self.median)] <= self.half {
            self.below += self.counts[usize::from(self.median)];
            self.median += 1;
        }
        self.median
    }
}
