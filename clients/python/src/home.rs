use std::mem::ManuallyDrop;

use pyo3::prelude::*;

use crate::errors::ForkError;

/// Something with threads or locks, of use in the process that made it and in none that was forked from that: there the threads
/// are missing and a lock may be held by one of them for ever. So there it is refused, and not even dropped.
pub(crate) struct Home<T> {
    value: ManuallyDrop<T>,
    process: u32,
}

impl<T> Home<T> {
    pub(crate) fn new(value: T) -> Home<T> {
        Home { value: ManuallyDrop::new(value), process: std::process::id() }
    }

    /// The value, if this is its process.
    pub(crate) fn get(&self) -> PyResult<&T> {
        if self.is_here() {
            return Ok(&self.value);
        }
        let (here, home) = (std::process::id(), self.process);
        Err(ForkError::new_err(format!(
            "this was opened in process {home}, of which process {here} is a fork: open it after the fork, or start workers with \
             spawn or forkserver"
        )))
    }

    /// The value, whatever the process: only for what takes no lock.
    pub(crate) fn anywhere(&self) -> &T {
        &self.value
    }

    fn is_here(&self) -> bool {
        std::process::id() == self.process
    }
}

impl<T> Drop for Home<T> {
    fn drop(&mut self) {
        if self.is_here() {
            // SAFETY: nothing uses the value after this, which runs once.
            #[allow(unsafe_code)]
            unsafe {
                ManuallyDrop::drop(&mut self.value);
            }
        }
    }
}
