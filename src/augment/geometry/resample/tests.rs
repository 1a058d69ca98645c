use super::*;
use crate::seed::{Key, Purpose, Rng};

const FILTERS: [v1::Filter; 6] = [
    v1::Filter::Nearest,
    v1::Filter::NearestExact,
    v1::Filter::Bilinear,
    v1::Filter::Bicubic,
    v1::Filter::Box,
    v1::Filter::Lanczos3,
];

fn rng(position: u64) -> Rng {
    Key { seed: 11, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op }.rng()
}

fn side(rng: &mut Rng, most: u64) -> u32 {
    1 + rng.below(most) as u32
}

fn bytes(rng: &mut Rng, size: Size, channels: usize) -> Image<'static> {
    let length = size.area() as usize * channels;
    let mut values: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| rng.bits().to_le_bytes()).collect();
    values.truncate(length);
    // Extremes are frequent, so that overshoot and saturation are.
    values.iter_mut().filter(|x| **x < 64).for_each(|x| *x = 0);
    values.iter_mut().filter(|x| **x >= 192).for_each(|x| *x = 255);
    Image::from_u8(size, channels, values)
}

fn floats(rng: &mut Rng, size: Size, channels: usize) -> Image<'static> {
    Image::from_f32(size, channels, (0..size.area() as usize * channels).map(|_| rng.unit() as f32).collect())
}

fn every_resampling() -> impl Iterator<Item = (v1::Filter, Resampling)> {
    let all = FILTERS.into_iter().flat_map(|filter| [true, false].map(|antialias| (filter, antialias)));
    let all = all.flat_map(|(filter, antialias)| [true, false].map(|float| (filter, antialias, float)));
    all.map(|(filter, antialias, float)| {
        (filter, Resampling::new(filter.into(), Some(antialias), float).expect("a filter of the contract"))
    })
}

#[test]
fn resizing_8_bits_gives_the_same_bytes_on_every_simd_level() {
    let (mut rng, mut scratch) = (rng(0), Scratch::default());
    for round in 0..120 {
        // Ordinary, tiny, and thin in either direction, so that shrinking and enlarging are both extreme.
        let (most, to) =
            [((400, 300), (224, 224)), ((9, 9), (20, 20)), ((2000, 3), (5, 90)), ((3, 600), (70, 3))][round % 4];
        let size = Size::new(side(&mut rng, most.0), side(&mut rng, most.1));
        let to = if round == 0 { Size::new(224, 224) } else { Size::new(side(&mut rng, to.0), side(&mut rng, to.1)) };
        let image = bytes(&mut rng, size, [3, 3, 1][round % 3]);
        let values = image.as_u8().expect("8 bits");
        let inner = Size::new(side(&mut rng, size.width.into()), side(&mut rng, size.height.into()));
        let x = rng.below(u64::from(size.width - inner.width) + 1) as u32;
        // Every other one reaches the last value of the image.
        let y = if round % 2 == 0 { size.height - inner.height } else { 0 };
        let source = Source::new(values, size, image.channels(), Window { x, y, size: inner });
        for kernel in [Kernel::Bilinear, Kernel::Bicubic, Kernel::Box, Kernel::Lanczos3] {
            let expected = by_definition(kernel, &source, to);
            for level in Level::available() {
                let made = integer::resample(level, kernel, &source, to, &mut scratch);
                assert!(made == expected, "{kernel:?} {inner} of {size} to {to} at {level:?}");
            }
        }
    }
}

/// Columns, then rows, each a sum over all of its pixels rounded to 8 bits.
fn by_definition(kernel: Kernel, source: &Source<'_, u8>, to: Size) -> Vec<u8> {
    let (from, channels) = (source.size(), source.channels());
    let (mut columns, mut rows) = (fixed::Fixed::default(), fixed::Fixed::default());
    columns.make(kernel, &span::Span::all(from.width), to.width);
    rows.make(kernel, &span::Span::all(from.height), to.height);
    let mixed = |(first, weights): (usize, &[i32]), at: &dyn Fn(usize) -> u8| {
        let terms = weights.iter().enumerate().map(|(k, weight)| i64::from(*weight) * i64::from(at(first + k)));
        ((terms.sum::<i64>() + (1 << 21)) >> 22).clamp(0, 255) as u8
    };
    let stride = to.width as usize * channels;
    let lines: Vec<Vec<u8>> = (0..from.height as usize)
        .map(|y| {
            let row = source.row(y);
            let value = |at: usize| mixed(columns.run(at / channels), &|x| row[x * channels + at % channels]);
            (0..stride).map(value).collect()
        })
        .collect();
    (0..to.height as usize * stride).map(|at| mixed(rows.run(at / stride), &|y| lines[y][at % stride])).collect()
}

#[test]
fn a_window_gives_what_its_crop_gives() {
    let (mut rng, mut scratch) = (rng(1), Scratch::default());
    for round in 0..30 {
        let size = Size::new(side(&mut rng, 40), side(&mut rng, 40));
        let image = if round % 3 == 0 { floats(&mut rng, size, 3) } else { bytes(&mut rng, size, [1, 3][round % 2]) };
        let inner = Size::new(side(&mut rng, size.width.into()), side(&mut rng, size.height.into()));
        let x = rng.below(u64::from(size.width - inner.width) + 1) as u32;
        let y = rng.below(u64::from(size.height - inner.height) + 1) as u32;
        let to = Size::new(side(&mut rng, 40), side(&mut rng, 40));
        for (filter, resampling) in every_resampling() {
            let window = Window { x, y, size: inner };
            let cut = super::super::crop::cut(image.clone(), window, &mut scratch);
            let whole = Window { x: 0, y: 0, size: inner };
            let expected = resampling.apply(cut, whole, to, &mut scratch);
            let found = resampling.apply(image.clone(), window, to, &mut scratch);
            assert_eq!(found, expected, "{filter:?} {window:?} of {size} to {to}");
        }
    }
}

#[test]
fn one_colour_stays_that_colour_at_every_size() {
    let mut scratch = Scratch::default();
    for (from, to) in [((1, 1), (5, 3)), ((9, 7), (1, 1)), ((3, 200), (64, 9)), ((1, 31), (31, 1)), ((40, 2), (3, 50))]
    {
        let (from, to) = (Size::new(from.0, from.1), Size::new(to.0, to.1));
        let image = Image::from_u8(from, 3, [10, 0, 255].repeat(from.area() as usize));
        for (filter, resampling) in every_resampling() {
            let whole = Window { x: 0, y: 0, size: from };
            let made = resampling.apply(image.clone(), whole, to, &mut scratch);
            assert_eq!(made.size(), to);
            let values: Vec<f32> = match made.pixels() {
                Pixels::U8(values) => values.iter().map(|x| f32::from(*x)).collect(),
                Pixels::F32(values) => values.clone(),
            };
            // Weights are rounded to floats; in whole numbers they are, too, but add up to 1 within half a level.
            let near = |pixel: &[f32]| pixel.iter().zip([10.0, 0.0, 255.0]).all(|(x, y)| (x - y).abs() < 2e-4);
            assert!(values.chunks_exact(3).all(near), "{filter:?} from {from} to {to}: {:?}", &values[..3]);
        }
    }
}

#[test]
fn floats_equal_the_sum_over_all_pixels() {
    let (mut rng, mut scratch) = (rng(2), Scratch::default());
    for round in 0..20 {
        let from = Size::new(side(&mut rng, 30), side(&mut rng, 30));
        let to = Size::new(side(&mut rng, 30), side(&mut rng, 30));
        let channels = [1, 3][round % 2];
        let image = floats(&mut rng, from, channels);
        let values = image.as_f32().expect("floats").to_vec();
        for kernel in [Kernel::Bilinear, Kernel::Bicubic, Kernel::Box, Kernel::Lanczos3] {
            let antialias = round % 4 < 2 || kernel == Kernel::Box;
            let resampling = Resampling { method: Method::Kernel(kernel), antialias, float: false };
            let whole = Window { x: 0, y: 0, size: from };
            let made = resampling.apply(image.clone(), whole, to, &mut scratch);
            let (rows, columns) =
                (matrix(kernel, antialias, from.height, to.height), matrix(kernel, antialias, from.width, to.width));
            for (index, found) in made.as_f32().expect("floats").iter().enumerate() {
                let (pixel, channel) = (index / channels, index % channels);
                let (row, column) = (&rows[pixel / to.width as usize], &columns[pixel % to.width as usize]);
                let mut expected = 0.0;
                for (y, v) in row.iter().enumerate() {
                    for (x, u) in column.iter().enumerate() {
                        let at = (y * from.width as usize + x) * channels + channel;
                        expected += v * u * f64::from(values[at]);
                    }
                }
                let difference = (f64::from(*found) - expected).abs();
                assert!(difference < 2e-5, "{kernel:?} {from} to {to}: {found} is not {expected}");
            }
        }
    }
}

/// The weight of every source pixel for every output pixel, as the definition says it.
fn matrix(kernel: Kernel, antialias: bool, from: u32, to: u32) -> Vec<Vec<f64>> {
    let scale = f64::from(from) / f64::from(to);
    let stretch = if antialias { scale.max(1.0) } else { 1.0 };
    let row = |x: u32| {
        let centre = (f64::from(x) + 0.5) * scale;
        let weights: Vec<f64> = (0..from).map(|at| kernel.weight((f64::from(at) + 0.5 - centre) / stretch)).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    };
    (0..to).map(row).collect()
}
