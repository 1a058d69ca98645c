use serde_json::{Value, json};

use crate::augment::resources::{Picture, Resources, Unavailable};
use crate::augment::{Pipeline, Recorded, Refusal, Scratch};
use crate::image::{Depth, Form, Image, Pixels, Size};
use crate::sample::Sample;
use crate::seed::{Key, Purpose};
use feedline_proto::{rule, v1};

const SIZE: Size = Size::new(24, 17);
const OPS: [&str; 3] = ["histogram_matching", "fda", "pixel_distribution_adaptation"];

fn message(op: &str, fields: &Value) -> v1::Pipeline {
    let ops = json!({ "ops": [{ op: fields }] });
    rule::with_defaults(&serde_json::from_value::<v1::Pipeline>(ops).expect("a pipeline"))
}

fn form(channels: usize, depth: Depth) -> Form {
    Form { smallest: SIZE, largest: SIZE, channels, depth }
}

fn build(op: &str, fields: &Value, input: Form) -> Result<Pipeline, Refusal> {
    Pipeline::build(&message(op, fields), input)
}

fn image(channels: usize, depth: Depth) -> Image<'static> {
    let values: Vec<u8> = (0..SIZE.area() * channels as u64).map(|x| (x * x * 13 % 241) as u8).collect();
    match depth {
        Depth::U8 => Image::from_u8(SIZE, channels, values),
        Depth::F32 { full } => {
            let scale = full.unwrap_or(1.0) / 255.0;
            Image::from_f32(SIZE, channels, values.into_iter().map(|x| f32::from(x) * scale).collect())
        }
    }
}

fn key(position: u64) -> Key {
    Key { seed: 3, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op }
}

#[test]
fn images_of_every_kind_are_changed_and_stay_of_their_kind() {
    let depths = [Depth::U8, Depth::F32 { full: Some(1.0) }, Depth::F32 { full: Some(255.0) }];
    for (op, channels, depth) in
        OPS.iter().flat_map(|op| [1, 3].map(|channels| (op, channels))).flat_map(|(op, c)| depths.map(|d| (op, c, d)))
    {
        let fields = match *op {
            "fda" => json!({ "references": [34, 52], "beta_limit": [0.3, 0.4], "p": 1 }),
            _ => json!({ "references": [34, 52], "p": 1 }),
        };
        let pipeline = build(op, &fields, form(channels, depth)).unwrap_or_else(|refusal| panic!("{op}: {refusal}"));
        let before = image(channels, depth);
        let after = pipeline.run(Sample::new(before.clone(), 0), key(0), &mut Scratch::default()).image;
        assert_eq!((after.size(), after.channels()), (SIZE, channels), "{op}");
        assert_ne!(after, before, "{op}");
        match (after.pixels(), depth) {
            (Pixels::U8(_), Depth::U8) => {}
            (Pixels::F32(values), Depth::F32 { full: Some(full) }) => {
                assert!(values.iter().all(|x| (0.0..=full).contains(x)), "{op}");
            }
            _ => panic!("{op} changed the type"),
        }
    }
}

#[test]
fn what_was_recorded_may_be_anything() {
    for op in OPS {
        let pipeline = build(op, &json!({ "references": [1], "p": 1 }), form(3, Depth::U8)).expect("sound");
        for (reference, ratio) in [(0, 1e300), (77, -1e300), (usize::MAX, 0.5), (0, -0.0), (3, 1e-320)] {
            let params = json!({ "reference": reference, "blend_ratio": ratio, "beta": ratio });
            let record = [Recorded { number: 0, op: op.into(), params }];
            let sample = Sample::new(image(3, Depth::U8), 0);
            let made = pipeline.replay(sample, &record, &mut Scratch::default()).expect("any numbers do");
            assert_eq!(made.image.size(), SIZE);
        }
    }
}

#[test]
fn what_is_no_number_in_the_image_harms_nothing_else() {
    let depth = Depth::F32 { full: Some(1.0) };
    for op in OPS {
        let fields = match op {
            "fda" => json!({ "references": [1], "beta_limit": [0.3, 0.3], "p": 1 }),
            _ => json!({ "references": [1], "p": 1 }),
        };
        let pipeline = build(op, &fields, form(3, depth)).expect("sound");
        let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 2.0, 0.5];
        let values = (0..SIZE.area() as usize * 3).map(|x| values[x % values.len()]).collect();
        let made = pipeline.run(Sample::new(Image::from_f32(SIZE, 3, values), 0), key(0), &mut Scratch::default());
        let made = made.image.as_f32().expect("floats").to_vec();
        assert!(made.iter().all(|x| (0.0..=1.0).contains(x)), "{op}: {made:?}");
    }
}

#[test]
fn a_summary_made_beforehand_gives_the_bytes_of_one_made_for_the_row() {
    let varying = Form { smallest: Size::new(1, 1), ..form(3, Depth::U8) };
    for op in OPS {
        let fields = json!({ "references": [5, 60, 80], "p": 1 });
        let (fixed, varying) = (build(op, &fields, form(3, Depth::U8)), build(op, &fields, varying));
        let (fixed, varying) = (fixed.expect("sound"), varying.expect("sound"));
        for position in 0..8 {
            let run = |pipeline: &Pipeline| {
                pipeline.run(Sample::new(image(3, Depth::U8), 0), key(position), &mut Scratch::default()).image
            };
            assert_eq!(run(&fixed), run(&varying), "{op}");
        }
    }
}

/// Samples that are there, and that can't be kept.
struct Few(u64);

impl Resources for Few {
    fn picture(&self, sample: u64) -> Result<std::sync::Arc<Picture>, Unavailable> {
        match sample {
            0 => Ok(std::sync::Arc::new(Picture { size: SIZE, pixels: vec![9; SIZE.area() as usize * 3] })),
            1 => Err(Unavailable::new("sample 1, which is damaged", "a sound sample")),
            _ => Err(Unavailable::new(sample, "0 or 1")),
        }
    }

    fn keep(&self, bytes: u64) -> Result<(), Unavailable> {
        if bytes <= self.0 { Ok(()) } else { Err(Unavailable::new(format!("{bytes} bytes"), "less")) }
    }
}

#[test]
fn references_that_are_not_there_are_refused_with_their_place() {
    for op in OPS {
        let refused = |references: Value, most: u64, input: Form| {
            let message = message(op, &json!({ "references": references }));
            Pipeline::build_with(&message, input, &Few(most)).err().expect("refused").to_string()
        };
        let plain = form(3, Depth::U8);
        let at = format!("pipeline.ops[0].{op}.references");
        assert_eq!(
            refused(json!([0, 1]), 1 << 20, plain),
            format!("{at}[1] is sample 1, which is damaged, expected a sound sample")
        );
        assert_eq!(refused(json!([7]), 1 << 20, plain), format!("{at}[0] is 7, expected 0 or 1"));
        assert!(refused(json!([]), 1 << 20, plain).contains("expected the index of at least one sample"));
        let varying = Form { smallest: Size::new(1, 1), ..plain };
        assert_eq!(refused(json!([0]), 100, varying), format!("{at}[0] is 1224 bytes, expected less"));
        assert!(refused(json!([0]), 1 << 20, form(3, Depth::F32 { full: None })).contains("normalize"));
    }
}
