use std::sync::{Arc, Mutex, PoisonError, Weak};

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::{DimFact, Factoid as _};

use crate::augment::resources::Unavailable;
use crate::header::unwinding;

/// A model, ready to run on images of one shape.
pub(super) struct Plan {
    runnable: TypedSimplePlan<TypedModel>,
    shape: [usize; 4],
    /// Bytes of the file and of all that exists at one time while it runs on one image.
    pub(super) bytes: u64,
}

/// Plans of a model by the shape of its input. Kept as long as somebody runs them: who asks for the same shape gets the same plan.
#[derive(Default)]
pub(in crate::augment) struct Plans(Mutex<Vec<([usize; 4], Weak<Plan>)>>);

impl Plans {
    /// The plan of the model in `file` for inputs and outputs of `shape`.
    ///
    /// # Errors
    /// A file that can't be read, and a model that takes or gives something else.
    pub(super) fn get(&self, file: &[u8], shape: [usize; 4]) -> Result<Arc<Plan>, Unavailable> {
        // Held meanwhile: who wants the same plan waits for it in place of making another one.
        let mut plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plans.retain(|(_, plan)| plan.strong_count() > 0);
        if let Some(plan) = plans.iter().find(|(known, _)| *known == shape).and_then(|(_, plan)| plan.upgrade()) {
            return Ok(plan);
        }
        let expected = "an ONNX model that takes one tensor of floats and gives one of the same shape";
        // Whatever is in the file, a panic in its reader must not end the server.
        let plan = unwinding(|| Plan::new(file, shape)).unwrap_or_else(|panic| {
            Err(Unavailable::new(format!("a model whose reader panicked: {panic}"), expected))
        })?;
        let plan = Arc::new(plan);
        plans.push((shape, Arc::downgrade(&plan)));
        Ok(plan)
    }
}

impl Plan {
    fn new(file: &[u8], shape: [usize; 4]) -> Result<Plan, Unavailable> {
        let unreadable =
            |error: TractError| Unavailable::new(format!("a model that can't be used: {}", brief(&error)), "another");
        let mut model = tract_onnx::onnx().model_for_read(&mut &file[..]).map_err(unreadable)?;
        let (inputs, outputs) = (model.inputs.len(), model.outputs.len());
        if (inputs, outputs) != (1, 1) {
            let found = format!("a model of {inputs} inputs and {outputs} outputs");
            return Err(Unavailable::new(found, "one input and one output, both an image"));
        }
        let wanted = InferenceFact::dt_shape(f32::datum_type(), shape);
        let declared = model.input_fact(0).map_err(unreadable)?.clone();
        if !allows(&declared, &shape) {
            let found = format!("a model that takes {declared:?}");
            return Err(Unavailable::new(found, format!("one that takes floats of {}", shown(&shape))));
        }
        model.set_input_fact(0, wanted).map_err(unreadable)?;
        // What it gives follows from what it gets; names of dimensions in the file would stand against it.
        model.set_output_fact(0, InferenceFact::default()).map_err(unreadable)?;
        let model = model.into_optimized().map_err(|error| {
            let found = format!("a model that does not work on {}: {}", shown(&shape), brief(&error));
            Unavailable::new(found, "a model for images of this size, or images of another size")
        })?;
        let output = model.output_fact(0).map_err(unreadable)?;
        if output.datum_type != f32::datum_type() || output.shape.as_concrete() != Some(&shape[..]) {
            let found = format!("a model that makes {output:?} of floats of {}", shown(&shape));
            return Err(Unavailable::new(found, "one that gives floats of the shape that it takes"));
        }
        let bytes = taken(&model).map_err(unreadable)?.saturating_add(file.len() as u64);
        // Before anything of that size is asked for.
        if bytes > MOST_BYTES {
            let found = format!("a model that takes {bytes} bytes to run on {}", shown(&shape));
            return Err(Unavailable::new(found, format!("at most {MOST_BYTES}: smaller images, or a smaller model")));
        }
        let plan = Plan { runnable: model.into_runnable().map_err(unreadable)?, shape, bytes };
        // What fails on any image fails here, not in the middle of an epoch.
        plan.run(&vec![0.5; shape.iter().product()]).map_err(|error| {
            Unavailable::new(format!("a model that fails on a gray image of {}: {error}", shown(&shape)), "another")
        })?;
        Ok(plan)
    }

    /// What the model makes of values in its own layout and scale.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub(super) fn run(&self, values: &[f32]) -> Result<Vec<f32>, String> {
        let input = Tensor::from_shape(&self.shape, values).map_err(|error| brief(&error))?;
        // An index that the image makes too large is a panic there.
        let outputs = unwinding(|| self.runnable.run(tvec!(input.into())))?.map_err(|error| brief(&error))?;
        let output = outputs.first().ok_or("it gave nothing")?;
        let made = output.as_slice::<f32>().map_err(|error| brief(&error))?;
        if made.len() == values.len() { Ok(made.to_vec()) } else { Err(format!("it gave {} values", made.len())) }
    }
}

/// Bytes of all that exists at one time while the model runs, weights among it: each value from the node that makes it to the last
/// one that takes it.
fn taken(model: &TypedModel) -> TractResult<u64> {
    let order = model.eval_order()?;
    let mut last = vec![0; model.nodes.len()];
    for (step, node) in order.iter().enumerate() {
        last[*node] = step;
        model.nodes[*node].inputs.iter().for_each(|input| last[input.node] = step);
    }
    model.outputs.iter().for_each(|output| last[output.node] = order.len());
    let volume = |fact: &TypedFact| {
        let sides = fact.shape.as_concrete().unwrap_or(&[]).iter();
        sides.fold(fact.datum_type.size_of() as u64, |volume, side| volume.saturating_mul(*side as u64))
    };
    let made = |node: usize| {
        let outputs = model.nodes[node].outputs.iter();
        outputs.map(|output| volume(&output.fact)).fold(0, u64::saturating_add)
    };
    let (mut now, mut most) = (0_u64, 0);
    for (step, node) in order.iter().enumerate() {
        now = now.saturating_add(made(*node));
        most = most.max(now);
        let mut ended: Vec<usize> = model.nodes[*node].inputs.iter().map(|input| input.node).chain([*node]).collect();
        ended.sort_unstable();
        ended.dedup();
        ended.retain(|node| last[*node] == step);
        now = ended.into_iter().fold(now, |now, node| now.saturating_sub(made(node)));
    }
    Ok(most)
}

/// Bytes that a model may take to run on one image, beside its file. Each worker takes as many.
const MOST_BYTES: u64 = 256 << 20;

/// Whether a declared input may be floats of `shape`. What has a name in place of a size may be of any.
fn allows(declared: &InferenceFact, shape: &[usize]) -> bool {
    let of_floats = declared.datum_type.concretize().is_none_or(|kind| kind == f32::datum_type());
    let sized = |(declared, size): (&DimFact, &usize)| {
        declared.concretize().and_then(|dim| dim.to_i64().ok()).is_none_or(|dim| dim == *size as i64)
    };
    let count = declared.shape.dims().count();
    let ranked = if declared.shape.is_open() { count <= shape.len() } else { count == shape.len() };
    of_floats && ranked && declared.shape.dims().zip(shape).all(sized)
}

fn shown(shape: &[usize]) -> String {
    format!("{shape:?}")
}

/// An error with its causes, of a length that fits into a status.
fn brief(error: &TractError) -> String {
    format!("{error:#}").chars().take(300).collect()
}
