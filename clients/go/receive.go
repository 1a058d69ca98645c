package feedline

import (
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// receiver is the message that gRPC fills in: each part goes from gRPC's memory right into its batch.
type receiver struct {
	assembler assembler
	// batch is the one that the last part completed; nil if it completed none.
	batch *Batch
	// err is a PartError: what is wrong with the last part. It is kept here, since what a codec returns becomes the
	// same status that failures of the transport have.
	err error
}

// partCodec lets a receiver decode what arrives.
type partCodec struct{ encoding.CodecV2 }

func newPartCodec() partCodec { return partCodec{encoding.GetCodecV2(protocodec.Name)} }

func (partCodec) Unmarshal(data mem.BufferSlice, message any) error {
	memory := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer memory.Free()
	receiver := message.(*receiver)
	receiver.batch, receiver.err = nil, nil
	part, err := decode(memory.ReadOnlyData())
	if err != nil {
		receiver.err = wrong(BadMessage, "a message that is no BatchPart: %v", err)
		return nil
	}
	receiver.batch, receiver.err = receiver.assembler.push(part)
	return nil
}

// decode returns the part that message holds. Its data, the last field and nearly all of it, is a slice of message:
// protobuf would copy it.
func decode(message []byte) (*feedlinev1.BatchPart, error) {
	head, data := message, []byte(nil)
	for rest := message; len(rest) > 0; {
		number, kind, length := protowire.ConsumeField(rest)
		if length < 0 {
			return nil, protowire.ParseError(length)
		}
		if number == dataField && kind == protowire.BytesType && length == len(rest) {
			_, _, tag := protowire.ConsumeTag(rest)
			data, _ = protowire.ConsumeBytes(rest[tag:])
			head = message[:len(message)-length]
		}
		rest = rest[length:]
	}
	part := new(feedlinev1.BatchPart)
	if err := proto.Unmarshal(head, part); err != nil {
		return nil, err
	}
	if len(head) < len(message) {
		part.Data = data
	}
	return part, nil
}

// dataField is the number of BatchPart.data.
const dataField = 15
