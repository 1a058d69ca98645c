use std::sync::Arc;

use feedline::client;
use feedline_proto::v1::{self, Dtype};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::home::Home;

/// A batch. Its tensors are views of one payload, which lives as long as any of them.
#[pyclass(frozen, module = "feedline._native")]
pub(crate) struct Batch {
    held: Arc<Held>,
}

struct Held {
    batch: Home<client::Batch>,
    /// Address of the payload. From here on only Python reads and writes it: it is taken from a unique reference, and nothing
    /// in Rust looks at the payload again.
    address: usize,
}

/// A tensor of a batch, without its numbers: numpy takes those from `__array_interface__`, without a copy.
#[pyclass(frozen, module = "feedline._native")]
pub(crate) struct Tensor {
    held: Arc<Held>,
    tensor: v1::Tensor,
}

impl Batch {
    pub(crate) fn new(mut batch: client::Batch) -> Batch {
        let address = batch.payload_mut().as_mut_ptr().expose_provenance();
        Batch { held: Arc::new(Held { batch: Home::new(batch), address }) }
    }

    fn header(&self) -> &v1::BatchHeader {
        &self.held.batch.anywhere().header
    }
}

#[pymethods]
impl Batch {
    #[getter]
    fn epoch(&self) -> u32 {
        self.header().epoch
    }

    #[getter]
    fn step(&self) -> u64 {
        self.header().step
    }

    /// Epoch, step and fingerprints (dataset, loader spec) of where a client goes on that has this batch; None after the last.
    #[getter]
    fn next(&self) -> Option<(u32, u64, &str, &str)> {
        let next = self.header().next.as_ref()?;
        Some((next.epoch, next.step, &next.dataset_fingerprint, &next.spec_fingerprint))
    }

    /// Index of each row's sample; None if it is a tensor `sample`.
    #[getter]
    fn samples(&self) -> Option<Vec<u64>> {
        let in_tensor = self.header().tensors.iter().any(|tensor| tensor.name == "sample");
        (!in_tensor).then(|| self.header().samples.clone())
    }

    #[getter]
    fn first_row(&self) -> u32 {
        self.header().first_row
    }

    #[getter]
    fn global_rows(&self) -> u32 {
        self.header().global_rows
    }

    #[getter]
    fn wrapped_rows(&self) -> Vec<u32> {
        self.header().wrapped_rows.clone()
    }

    /// Row, index of the damaged sample, index of its substitute, cause.
    #[getter]
    fn substitutions(&self) -> Vec<(u32, u64, u64, String)> {
        let found = self.header().substitutions.iter();
        found.map(|found| (found.row, found.damaged, found.substitute, found.cause.clone())).collect()
    }

    #[getter]
    fn repeated(&self) -> bool {
        self.header().repeated_batch
    }

    /// Nanoseconds of decoding, ops, collating, and from start to end; how many streams got it.
    #[getter]
    fn timings(&self) -> (u64, u64, u64, u64, u32) {
        let v1::Timings { decode_ns, augment_ns, collate_ns, made_ns, shared_by } = self.held.batch.anywhere().timings;
        (decode_ns, augment_ns, collate_ns, made_ns, shared_by)
    }

    #[getter]
    fn tensors(&self) -> Vec<Tensor> {
        let tensors = self.header().tensors.iter();
        tensors.map(|tensor| Tensor { held: Arc::clone(&self.held), tensor: tensor.clone() }).collect()
    }

    /// All tensors back to back, padding included, as one of bytes.
    #[getter]
    fn payload(&self) -> Tensor {
        let bytes = self.header().payload_bytes;
        let dtype = Dtype::Uint8.into();
        let tensor = v1::Tensor { name: "payload".into(), dtype, shape: vec![bytes], bytes, ..Default::default() };
        Tensor { held: Arc::clone(&self.held), tensor }
    }
}

#[pymethods]
impl Tensor {
    #[getter]
    fn name(&self) -> &str {
        &self.tensor.name
    }

    /// As the contract names it: UINT8, FP16, BF16, FP32 or INT64.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.tensor.dtype().as_str_name().trim_start_matches("DTYPE_")
    }

    #[getter]
    fn views(&self) -> u32 {
        self.tensor.views
    }

    /// numpy's protocol, version 3. Numbers of BF16, which numpy does not know, are those of their bits.
    #[getter(__array_interface__)]
    fn array_interface<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let kind = match self.tensor.dtype() {
            Dtype::Fp16 => "<f2",
            Dtype::Bf16 => "<u2",
            Dtype::Fp32 => "<f4",
            Dtype::Int64 => "<i8",
            Dtype::Uint8 | Dtype::Unspecified => "|u1",
        };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", PyTuple::new(py, &self.tensor.shape)?)?;
        interface.set_item("typestr", kind)?;
        // Not read-only.
        interface.set_item("data", (self.held.address + self.tensor.offset as usize, false))?;
        Ok(interface)
    }
}
