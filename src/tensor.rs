mod pages;
mod shared;

use std::io;
use std::os::fd::BorrowedFd;

use bytemuck::{Pod, Zeroable};
use feedline_proto::v1;

pub use feedline_proto::v1::{Dtype, Layout};
pub use pages::allow_huge;
pub(crate) use pages::ask_for_huge;
use shared::Shared;
pub use shared::View;

// Workers write numbers as they lie in memory, and the contract is little-endian.
#[cfg(target_endian = "big")]
compile_error!("feedline runs on little-endian machines only");

/// A tensor of a batch: its name, the type of its numbers, its shape (rows first), and where it lies in the payload.
pub type Tensor = v1::Tensor;

/// 64 bytes at an address that is a multiple of 64.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// Bytes at an address that is a multiple of 64; the length is rounded up to such a multiple too. Memory of a payload.
pub struct Aligned(Memory);

enum Memory {
    Own(Vec<Line>),
    Shared(Shared),
}

impl Default for Aligned {
    fn default() -> Self {
        Aligned(Memory::Own(Vec::new()))
    }
}

impl Aligned {
    /// At least `bytes` bytes, zero.
    pub fn zeroed(bytes: usize) -> Self {
        // Pages that come from the system are zero already; `vec!` would write them all the same.
        let mut lines: Vec<Line> = bytemuck::allocation::zeroed_vec(bytes.div_ceil(64));
        ask_for_huge(bytemuck::cast_slice_mut(&mut lines));
        Aligned(Memory::Own(lines))
    }

    /// As [`Aligned::zeroed`], in memory of which other processes can be given the [`file`](Aligned::file), to read it.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn shared(bytes: usize) -> io::Result<Self> {
        Ok(Aligned(Memory::Shared(Shared::zeroed(bytes.next_multiple_of(64))?)))
    }

    /// The file whose content the bytes are, if they are in shared memory.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        if let Memory::Shared(shared) = &self.0 { Some(shared.file()) } else { None }
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Memory::Own(lines) => bytemuck::cast_slice(lines),
            Memory::Shared(shared) => shared.bytes(),
        }
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        match &mut self.0 {
            Memory::Own(lines) => bytemuck::cast_slice_mut(lines),
            Memory::Shared(shared) => shared.bytes_mut(),
        }
    }
}

impl AsRef<[u8]> for Aligned {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl std::fmt::Debug for Aligned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Aligned({} bytes)", self.len())
    }
}
