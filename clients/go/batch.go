package feedline

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// Batch is a batch as it arrived, checked.
type Batch struct {
	// Header says what the batch is: epoch, step, the cursor behind it, tensors, the rows' samples, and which rows
	// are repeated or substituted.
	Header *feedlinev1.BatchHeader
	// Timings say how long the server took. They are no part of the batch: they differ from run to run.
	Timings *feedlinev1.Timings
	// Payload holds the tensors back to back, each at an address that is a multiple of 64. It belongs to this batch
	// alone, and to whoever holds a slice of it.
	Payload []byte
}

// Tensor is one tensor of a batch.
type Tensor struct {
	Name  string
	Dtype feedlinev1.Dtype
	// Shape is the length of every axis, rows first.
	Shape []int
	// Views is how many rows belong to each sample, one after the other. 0: one row per sample, or rows that are
	// boxes or keypoints.
	Views int
	// Data are the tensor's bytes in the payload: little-endian, row-major, dense.
	Data []byte
}

// Tensor returns the tensor of that name; false if the batch has none.
func (b *Batch) Tensor(name string) (Tensor, bool) {
	for _, tensor := range b.Header.GetTensors() {
		if tensor.GetName() == name {
			return b.view(tensor), true
		}
	}
	return Tensor{}, false
}

// Tensors returns all tensors, in the order of their offsets.
func (b *Batch) Tensors() []Tensor {
	tensors := make([]Tensor, 0, len(b.Header.GetTensors()))
	for _, tensor := range b.Header.GetTensors() {
		tensors = append(tensors, b.view(tensor))
	}
	return tensors
}

func (b *Batch) view(tensor *feedlinev1.Tensor) Tensor {
	shape := make([]int, len(tensor.GetShape()))
	for axis, length := range tensor.GetShape() {
		shape[axis] = int(length)
	}
	start, end := tensor.GetOffset(), tensor.GetOffset()+tensor.GetBytes()
	return Tensor{
		Name:  tensor.GetName(),
		Dtype: tensor.GetDtype(),
		Shape: shape,
		Views: int(tensor.GetViews()),
		Data:  b.Payload[start:end:end],
	}
}

// Samples returns the index of each row's sample in its split, whether they travelled in the header or as a tensor.
func (b *Batch) Samples() []uint64 {
	indices, err := View[int64](b, "sample")
	if err != nil {
		return b.Header.GetSamples()
	}
	samples := make([]uint64, len(indices))
	for row, index := range indices {
		samples[row] = uint64(index)
	}
	return samples
}

// Number is a number of a tensor: UINT8, FP16, BF16, FP32 or INT64.
type Number interface {
	uint8 | Float16 | BFloat16 | float32 | int64
}

// View returns the numbers of the tensor of that name, row-major. It is a view of the payload; only hosts that are
// big-endian get a copy. The error says that there is no such tensor, or that its numbers are of another type.
func View[T Number](b *Batch, name string) ([]T, error) {
	tensor, ok := b.Tensor(name)
	if !ok {
		return nil, fmt.Errorf("feedline: the batch has no tensor %q", name)
	}
	var number T
	if found, expected := dtypeOf(number), tensor.Dtype; found != expected {
		return nil, fmt.Errorf("feedline: tensor %q is %v, not %v", name, expected, found)
	}
	count := len(tensor.Data) / int(unsafe.Sizeof(number))
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		numbers := make([]T, count)
		_, err := binary.Decode(tensor.Data, binary.LittleEndian, numbers)
		return numbers, err
	}
	// The bytes are as many as the numbers need, aligned to 64 (see newPayload), and every pattern of bits is a number.
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(tensor.Data))), count), nil
}

func dtypeOf(number any) feedlinev1.Dtype {
	switch number.(type) {
	case uint8:
		return feedlinev1.Dtype_DTYPE_UINT8
	case Float16:
		return feedlinev1.Dtype_DTYPE_FP16
	case BFloat16:
		return feedlinev1.Dtype_DTYPE_BF16
	case float32:
		return feedlinev1.Dtype_DTYPE_FP32
	case int64:
		return feedlinev1.Dtype_DTYPE_INT64
	}
	return feedlinev1.Dtype_DTYPE_UNSPECIFIED
}

// Float16 holds the bits of a number in IEEE half precision.
type Float16 uint16

// Float32 returns the number, exactly.
func (f Float16) Float32() float32 {
	sign, exponent, fraction := uint32(f&0x8000)<<16, uint32(f>>10&0x1f), uint32(f&0x3ff)
	switch exponent {
	case 0: // Zero and subnormal numbers, in units of 2^-24.
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	case 0x1f: // Infinity and NaN.
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// BFloat16 holds the bits of a bfloat16: the upper half of a float32.
type BFloat16 uint16

// Float32 returns the number, exactly.
func (f BFloat16) Float32() float32 { return math.Float32frombits(uint32(f) << 16) }
