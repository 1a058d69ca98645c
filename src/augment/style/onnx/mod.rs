#[cfg(feature = "onnx")]
mod model;
#[cfg(feature = "onnx")]
mod plan;

use feedline_proto::v1::{self, op::Op};

use crate::augment::op::{About, Built, Refusal, Targets};
use crate::augment::resources::{Resources, Unavailable};
use crate::image::Form;

/// Plans of a model, one for each shape of images that somebody runs it on.
#[cfg(feature = "onnx")]
pub(in crate::augment) type Plans = plan::Plans;
/// Nothing, where models can't be run.
#[cfg(not(feature = "onnx"))]
pub(in crate::augment) type Plans = ();

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Runs a model of the server on the image: an ONNX file that takes one tensor of 32-bit floats, NCHW, and gives one of the same shape. What it
gives is limited to 0 to full brightness, and of 8 bits rounded to nearest; what is no number becomes 0. It equals what the model says,
within the rounding of 32-bit floats; two machines may differ in that, so that `Describe` says `bit_exact = false`. A server runs models
when it was built with the feature `onnx` and has a folder of `models`. What a model makes of small images is compared with ONNX Runtime
1.32.0: floats are within 2e-5 of the full scale, 8 bits exact but for values half-way between two levels. The model of the example is
`assets/models/sketch.onnx`. Models are run by tract, which has most of ONNX's operators; one that it has not is refused by its name when
a loader is described. `Upsample`, of opset 9 and before, is among those: export such a model with opset 11 or later.",
    targets: Targets::Image,
    example: "onnx = { model = \"sketch.onnx\" }",
};

/// Builds the op, where models can be run.
#[cfg(feature = "onnx")]
pub(in crate::augment) fn from_message(
    message: &v1::Onnx,
    input: Form,
    resources: &dyn Resources,
) -> Result<Built, Refusal> {
    model::built(message, input, resources)
}

/// Refuses the op: a server without it still says so, where one that had never heard of it could not.
#[cfg(not(feature = "onnx"))]
pub(in crate::augment) fn from_message(_: &v1::Onnx, _: Form, _: &dyn Resources) -> Result<Built, Refusal> {
    let found = "asked for, and this server was built without the feature onnx";
    Err(Refusal::new("", found, "a server that was built with it: cargo build --features onnx"))
}

/// Writes into every op that runs a model which file it is, so that fingerprints tell models of one name apart.
///
/// # Errors
/// A model that is not there, or another one than the client insists on.
pub(in crate::augment) fn pin(ops: &mut [v1::Op], path: &str, resources: &dyn Resources) -> Result<(), Refusal> {
    // Where models can't be run, the op itself says so.
    if !cfg!(feature = "onnx") {
        return Ok(());
    }
    for (index, op) in ops.iter_mut().enumerate() {
        let at = |name: &str| format!("{path}[{index}].{name}");
        match &mut op.op {
            Some(Op::Onnx(m)) => pin_one(m, resources).map_err(|refusal| refusal.within(&at("onnx")))?,
            Some(Op::Sequence(m)) => pin(&mut m.ops, &at("sequence.ops"), resources)?,
            Some(Op::OneOf(m)) => pin(&mut m.ops, &at("one_of.ops"), resources)?,
            Some(Op::SomeOf(m)) => pin(&mut m.ops, &at("some_of.ops"), resources)?,
            Some(Op::RandomOrder(m)) => pin(&mut m.ops, &at("random_order.ops"), resources)?,
            _ => {}
        }
    }
    Ok(())
}

fn pin_one(message: &mut v1::Onnx, resources: &dyn Resources) -> Result<(), Refusal> {
    let missing = |Unavailable { found, expected }| Refusal::new("model", found, expected);
    let model = resources.model(&message.model).map_err(missing)?;
    if !message.digest.is_empty() && !message.digest.eq_ignore_ascii_case(&model.digest) {
        let found: String = message.digest.chars().take(64).collect();
        let expected = format!("{}, that of the server's file {}", model.digest, model.name);
        return Err(Refusal::new("digest", format!("{found:?}"), expected));
    }
    message.digest.clone_from(&model.digest);
    Ok(())
}
