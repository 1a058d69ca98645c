use std::ops::{Add, Mul, Sub};

#[cfg(not(target_arch = "x86_64"))]
type Lanes = [f32; 4];
#[cfg(target_arch = "x86_64")]
type Lanes = std::arch::x86_64::__m128;

/// Four floats computed at once: a pixel of three channels, and one value that nobody looks at. Compilers take arrays of which one
/// value is not used apart, and need twice as many instructions; so x86-64 is told what to do, by instructions that each such
/// processor has. Lanes never meet, so the bits are those of single floats.
#[derive(Clone, Copy)]
pub(super) struct Four(Lanes);

impl Four {
    /// Four times the same.
    #[inline(always)]
    pub(super) fn splat(x: f32) -> Self {
        Four::from([x; 4])
    }
}

impl From<[f32; 4]> for Four {
    #[inline(always)]
    fn from(lanes: [f32; 4]) -> Self {
        Four(bytemuck::cast(lanes))
    }
}

impl From<Four> for [f32; 4] {
    #[inline(always)]
    fn from(four: Four) -> Self {
        bytemuck::cast(four.0)
    }
}

/// An operator on each lane.
macro_rules! lanewise {
    ($operator:ident, $method:ident, $intrinsic:ident) => {
        impl $operator for Four {
            type Output = Four;

            #[inline(always)]
            fn $method(self, other: Four) -> Four {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the instructions of SSE2 are part of x86-64.
                #[allow(unsafe_code)]
                return Four(unsafe { std::arch::x86_64::$intrinsic(self.0, other.0) });
                #[cfg(not(target_arch = "x86_64"))]
                return Four(std::array::from_fn(|lane| self.0[lane].$method(other.0[lane])));
            }
        }
    };
}

lanewise!(Add, add, _mm_add_ps);
lanewise!(Sub, sub, _mm_sub_ps);
lanewise!(Mul, mul, _mm_mul_ps);
