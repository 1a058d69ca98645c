package feedline

import (
	"hash/crc32"
	"math"
	"math/bits"
	"unsafe"

	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// assembler puts batches together from their parts, and checks each. After an error it is of no use any more.
type assembler struct {
	// mostBytes is the longest payload that was described.
	mostBytes uint64
	// batch is the one that is under way; nil between two.
	batch *Batch
	// filled is how many bytes of its payload have arrived, crc their checksum.
	filled uint64
	crc    uint32
}

// push takes the next part and returns the batch that it completes, or nil.
func (a *assembler) push(part *feedlinev1.BatchPart) (*Batch, error) {
	if len(part.GetHeader()) > 0 {
		if a.batch != nil {
			return nil, wrong(Early, "a batch that begins before the one before it was whole")
		}
		header, err := a.header(part)
		if err != nil {
			return nil, err
		}
		a.batch = &Batch{Header: header, Timings: part.GetTimings(), Payload: newPayload(int(header.GetPayloadBytes()))}
		a.filled, a.crc = 0, 0
	}
	if a.batch == nil {
		return nil, wrong(Headless, "a batch that begins without header")
	}
	header, data := a.batch.Header, part.GetData()
	if part.GetOffset() != a.filled || uint64(len(data)) > header.GetPayloadBytes()-a.filled {
		return nil, wrong(BadOffset, "a part of %d bytes at %d, expected one at %d of %d",
			len(data), part.GetOffset(), a.filled, header.GetPayloadBytes())
	}
	copy(a.batch.Payload[a.filled:], data)
	// Part by part, while the bytes are still in the cache.
	a.crc = crc32.Update(a.crc, castagnoli, data)
	a.filled += uint64(len(data))
	if a.filled < header.GetPayloadBytes() {
		return nil, nil
	}
	if a.crc != header.GetPayloadCrc32C() {
		return nil, wrong(PayloadChecksum, "CRC32C of the payload is %08x, expected %08x", a.crc, header.GetPayloadCrc32C())
	}
	batch := a.batch
	a.batch = nil
	return batch, nil
}

// header returns the header of a part after all checks.
func (a *assembler) header(part *feedlinev1.BatchPart) (*feedlinev1.BatchHeader, error) {
	if found := crc32.Checksum(part.GetHeader(), castagnoli); found != part.GetHeaderCrc32C() {
		return nil, wrong(HeaderChecksum, "CRC32C of the header is %08x, expected %08x", found, part.GetHeaderCrc32C())
	}
	header := new(feedlinev1.BatchHeader)
	if err := proto.Unmarshal(part.GetHeader(), header); err != nil {
		return nil, wrong(BadHeader, "a header that is no BatchHeader: %v", err)
	}
	end := uint64(0)
	for _, tensor := range header.GetTensors() {
		bytes, ok := byteLength(tensor)
		fits := bytes <= header.GetPayloadBytes() && tensor.GetOffset() <= header.GetPayloadBytes()-bytes
		if !ok || !fits || bytes != tensor.GetBytes() || tensor.GetOffset()%alignment != 0 || tensor.GetOffset() < end {
			return nil, wrong(BadTensor, "tensor %q of shape %v and dtype %v has %d bytes at %d of a payload of %d",
				tensor.GetName(), tensor.GetShape(), tensor.GetDtype(), tensor.GetBytes(), tensor.GetOffset(), header.GetPayloadBytes())
		}
		end = tensor.GetOffset() + bytes
	}
	if found, most := header.GetPayloadBytes(), min(a.mostBytes, math.MaxInt-alignment); found > most {
		return nil, wrong(BadLength, "a payload of %d bytes, at most %d were described", found, most)
	}
	return header, nil
}

// byteLength returns the product of a tensor's shape and the size of its dtype; false if the dtype is unknown or the
// product does not fit 64 bits.
func byteLength(tensor *feedlinev1.Tensor) (bytes uint64, ok bool) {
	switch tensor.GetDtype() {
	case feedlinev1.Dtype_DTYPE_UINT8:
		bytes = 1
	case feedlinev1.Dtype_DTYPE_FP16, feedlinev1.Dtype_DTYPE_BF16:
		bytes = 2
	case feedlinev1.Dtype_DTYPE_FP32:
		bytes = 4
	case feedlinev1.Dtype_DTYPE_INT64:
		bytes = 8
	default:
		return 0, false
	}
	for _, length := range tensor.GetShape() {
		var overflow uint64
		if overflow, bytes = bits.Mul64(bytes, length); overflow != 0 {
			return 0, false
		}
	}
	return bytes, true
}

// newPayload returns memory at an address that is a multiple of 64, so that every tensor's is. Go does not move it.
func newPayload(length int) []byte {
	memory := make([]byte, length+alignment-1)
	start := int(-uintptr(unsafe.Pointer(unsafe.SliceData(memory))) % alignment)
	return memory[start : start+length : start+length]
}

// alignment in bytes: every tensor begins at a multiple of it from the payload's start.
const alignment = 64

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
