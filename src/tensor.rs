use bytemuck::{Pod, Zeroable};
use feedline_proto::v1;

pub use feedline_proto::v1::{Dtype, Layout};

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
#[derive(Default)]
pub struct Aligned {
    lines: Vec<Line>,
}

impl Aligned {
    /// At least `bytes` bytes, zero.
    pub fn zeroed(bytes: usize) -> Self {
        // Pages that come from the system are zero already; `vec!` would write them all the same.
        Aligned { lines: bytemuck::allocation::zeroed_vec(bytes.div_ceil(64)) }
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.lines.len() * 64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.lines)
    }

    /// The bytes, to be written.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.lines)
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
