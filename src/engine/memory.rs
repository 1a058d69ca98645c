use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::tensor::Aligned;

/// The memory of all batches: one budget, and buffers that are used again.
pub(super) struct Memory {
    /// Most bytes that batches may take together.
    pub(super) budget: u64,
    used: AtomicU64,
    free: Mutex<Vec<Aligned>>,
    /// Called whenever memory came back.
    released: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Memory {
    pub(super) fn new(budget: u64) -> Arc<Memory> {
        Arc::new(Memory { budget, used: AtomicU64::new(0), free: Mutex::default(), released: OnceLock::new() })
    }

    /// Sets what is called whenever memory came back. Once.
    pub(super) fn on_release(&self, call: impl Fn() + Send + Sync + 'static) {
        let _ = self.released.set(Box::new(call));
    }

    /// Bytes that batches take now.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Acquire)
    }

    /// Takes `bytes` of the budget, whether they are left or not: who may is decided by the schedule.
    pub(super) fn charge(self: &Arc<Self>, bytes: u64) -> Charge {
        self.used.fetch_add(bytes, Ordering::AcqRel);
        Charge { memory: Arc::clone(self), bytes }
    }

    /// A buffer of at least `bytes` bytes of any content, used before if one fits well; in shared memory if that is wanted and there is
    /// some.
    fn take(&self, bytes: usize, shared: bool) -> Aligned {
        let is_shared = |buffer: &Aligned| buffer.file().is_some();
        if shared && bytes >= LEAST_SHARED {
            let new = || Aligned::shared(bytes).ok();
            if let Some(buffer) = self.take_free(bytes, is_shared).or_else(new) {
                return buffer;
            }
        }
        // Who does not want shared memory can use it too.
        self.take_free(bytes, |_| true).unwrap_or_else(|| Aligned::zeroed(bytes))
    }

    /// One that lies about, fits, and is of a `kind`.
    fn take_free(&self, bytes: usize, kind: impl Fn(&Aligned) -> bool) -> Option<Aligned> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |buffer: &Aligned| buffer.len() >= bytes && buffer.len() <= bytes + bytes / 4 + 4096;
        // If none fits, those there are belong to batches of another size, and would only lie about; and what lies about
        // must not come on top of the budget.
        let none_fits = !free.iter().any(fits);
        let found = free.iter().position(|buffer| fits(buffer) && kind(buffer)).map(|at| free.swap_remove(at));
        let lying: u64 = free.iter().map(|buffer| buffer.len() as u64).sum();
        let useless = none_fits || self.used() + lying > self.budget;
        let useless = if useless { std::mem::take(&mut *free) } else { Vec::new() };
        drop(free);
        drop(useless);
        found
    }

    fn give_back(&self, buffer: Aligned) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let lying: u64 = free.iter().map(|buffer| buffer.len() as u64).sum();
        if free.len() < MOST_FREE && self.used() + lying + buffer.len() as u64 <= self.budget {
            free.push(buffer);
        }
    }
}

/// Most buffers that lie about unused.
const MOST_FREE: usize = 8;
/// Smallest buffer of shared memory. Sending less is done sooner than handing over a file and waiting for its return.
const LEAST_SHARED: usize = 256 << 10;

/// A part of the budget; given back when dropped.
pub(super) struct Charge {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Charge {
    /// A buffer of at least `bytes` bytes under this charge, in shared memory if possible.
    pub(super) fn buffer(self, bytes: usize, shared: bool) -> Buffer {
        let memory = self.memory.take(bytes, shared);
        Buffer { memory, charge: self }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Ordering::AcqRel);
        if let Some(released) = self.memory.released.get() {
            released();
        }
    }
}

/// The memory of one payload; goes back to the pool when dropped.
pub(super) struct Buffer {
    memory: Aligned,
    charge: Charge,
}

impl Buffer {
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        self.memory.bytes_mut()
    }

    /// The file of the memory, if that is shared.
    pub(super) fn file(&self) -> Option<BorrowedFd<'_>> {
        self.memory.file()
    }

    /// The memory by itself, to be cut into rows, and put back with [`Buffer::put`].
    pub(super) fn lift(&mut self) -> Aligned {
        std::mem::take(&mut self.memory)
    }

    pub(super) fn put(&mut self, memory: Aligned) {
        self.memory = memory;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.memory.is_empty() {
            self.charge.memory.give_back(std::mem::take(&mut self.memory));
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.memory.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_and_is_used_again() {
        let memory = Memory::new(1 << 20);
        let calls = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&calls);
        memory.on_release(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        let mut buffer = memory.charge(1000).buffer(1000, false);
        buffer.bytes_mut()[0] = 9;
        let address = buffer.bytes().as_ptr();
        assert_eq!((memory.used(), address as usize % 64), (1000, 0));
        drop(buffer);
        assert_eq!((memory.used(), calls.load(Ordering::Relaxed)), (0, 1));
        assert_eq!(memory.charge(1000).buffer(1000, false).bytes().as_ptr(), address);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn shared_memory_is_for_those_who_want_it_and_used_again_by_all() {
        let memory = Memory::new(1 << 30);
        let address = |buffer: &Buffer| buffer.bytes().as_ptr();
        let own = memory.charge(1).buffer(LEAST_SHARED, false);
        let shared = memory.charge(1).buffer(LEAST_SHARED, true);
        assert!(own.file().is_none() && shared.file().is_some());
        assert!(memory.charge(1).buffer(LEAST_SHARED - 64, true).file().is_none(), "small ones are sent");
        let (first, second) = (address(&own), address(&shared));
        drop((own, shared));
        let again = memory.charge(1).buffer(LEAST_SHARED, true);
        assert_eq!(address(&again), second);
        let others = [(); 2].map(|()| memory.charge(1).buffer(LEAST_SHARED, false));
        assert!(others.iter().any(|other| address(other) == first), "what was not fit lay about all the same");
        drop((again, others));
        let three = [(); 3].map(|()| memory.charge(1).buffer(LEAST_SHARED, false));
        assert!(three.iter().any(|buffer| address(buffer) == second));
    }

    #[test]
    fn buffers_of_another_size_do_not_lie_about() {
        let memory = Memory::new(1 << 20);
        drop(memory.charge(1000).buffer(1000, false));
        drop(memory.charge(100_000).buffer(100_000, false));
        assert_eq!(memory.free.lock().expect("alone").len(), 1);
        let over = Memory::new(500);
        drop(over.charge(1000).buffer(1000, false));
        assert!(over.free.lock().expect("alone").is_empty(), "nothing is kept beyond the budget");
    }
}
