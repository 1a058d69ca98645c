//! feedline for Python. Rust does what must not hold the interpreter up: the connection, checksums, reassembly, or, without a
//! server, the whole engine. Everything else (rank and epoch, state, worker processes, frameworks) is in `python/feedline`.

use pyo3::prelude::*;

mod batch;
mod errors;
mod files;
mod home;
mod request;
mod server;
mod source;
mod stream;
mod wait;

/// Only of what Rust allocates here. glibc gives the connection's buffers back to the system after each use, and every page of them costs a
/// fault when it is taken again: half of the time of receiving.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// Nothing here depends on the interpreter's lock: every class is frozen, and what changes is behind a lock of its own.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<source::Source>()?;
    module.add_class::<stream::Stream>()?;
    module.add_class::<batch::Batch>()?;
    module.add_class::<batch::Tensor>()?;
    module.add_class::<server::Server>()?;
    module.add_function(wrap_pyfunction!(files::main, module)?)?;
    module.add_function(wrap_pyfunction!(files::read_pipeline, module)?)?;
    module.add_function(wrap_pyfunction!(files::read_spec, module)?)?;
    module.add_function(wrap_pyfunction!(files::import_albumentations, module)?)?;
    errors::add(module)
}
