package feedline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// batchCase is one request and what a client gets for it.
type batchCase struct {
	Name    string
	Request []byte // A StreamRequest, serialized.
	Batches []expected
}

// partCase is a stream of sound or damaged messages.
type partCase struct {
	Name      string
	MostBytes uint64   `json:"most_bytes"`
	Parts     [][]byte // Each a BatchPart, serialized.
	Batches   []expected
	Error     PartErrorKind // Empty: none.
}

type expected struct {
	Epoch   uint32
	Step    uint64
	Samples []uint64
	Tensors []expectedTensor
	SHA256  string // Of the payload.
}

type expectedTensor struct {
	Name  string
	Dtype string
	Shape []int
	First []float64 // Its first numbers, at most four.
}

// read returns the cases of a file of vectors.
func read[T any](t *testing.T, file string) []T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(vectors, file))
	if err != nil {
		t.Fatal(err)
	}
	var cases []T
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no case", file)
	}
	return cases
}

// loader returns the request of a case.
func (c batchCase) loader(t *testing.T) Loader {
	t.Helper()
	request := new(feedlinev1.StreamRequest)
	if err := proto.Unmarshal(c.Request, request); err != nil {
		t.Fatal(err)
	}
	return Loader{Spec: request.GetSpec(), Placement: request.GetPlacement(), Delivery: request.GetDelivery()}
}

func describe(t *testing.T, batch *Batch) expected {
	t.Helper()
	sum := sha256.Sum256(batch.Payload)
	found := expected{
		Epoch:   batch.Header.GetEpoch(),
		Step:    batch.Header.GetStep(),
		Samples: append([]uint64{}, batch.Samples()...),
		Tensors: []expectedTensor{},
		SHA256:  hex.EncodeToString(sum[:]),
	}
	for _, tensor := range batch.Tensors() {
		if address := uintptr(unsafe.Pointer(unsafe.SliceData(tensor.Data))); address%64 != 0 && len(tensor.Data) > 0 {
			t.Errorf("tensor %s is at %#x", tensor.Name, address)
		}
		found.Tensors = append(found.Tensors, expectedTensor{
			Name:  tensor.Name,
			Dtype: strings.TrimPrefix(tensor.Dtype.String(), "DTYPE_"),
			Shape: tensor.Shape,
			First: first(t, batch, tensor),
		})
	}
	return found
}

func first(t *testing.T, batch *Batch, tensor Tensor) []float64 {
	switch tensor.Dtype {
	case feedlinev1.Dtype_DTYPE_UINT8:
		return firstOf(t, batch, tensor.Name, func(x uint8) float64 { return float64(x) })
	case feedlinev1.Dtype_DTYPE_FP16:
		return firstOf(t, batch, tensor.Name, func(x Float16) float64 { return float64(x.Float32()) })
	case feedlinev1.Dtype_DTYPE_BF16:
		return firstOf(t, batch, tensor.Name, func(x BFloat16) float64 { return float64(x.Float32()) })
	case feedlinev1.Dtype_DTYPE_FP32:
		return firstOf(t, batch, tensor.Name, func(x float32) float64 { return float64(x) })
	default:
		return firstOf(t, batch, tensor.Name, func(x int64) float64 { return float64(x) })
	}
}

func firstOf[T Number](t *testing.T, batch *Batch, name string, number func(T) float64) []float64 {
	t.Helper()
	view, err := View[T](batch, name)
	if err != nil {
		t.Fatal(err)
	}
	numbers := []float64{}
	for _, x := range view[:min(4, len(view))] {
		numbers = append(numbers, number(x))
	}
	return numbers
}

// check compares batches with those of the vectors.
func check(t *testing.T, batches []*Batch, expected []expected) {
	t.Helper()
	if len(batches) != len(expected) {
		t.Fatalf("%d batches, expected %d", len(batches), len(expected))
	}
	for at, batch := range batches {
		if found := describe(t, batch); !reflect.DeepEqual(found, expected[at]) {
			t.Errorf("batch %d is\n%+v, expected\n%+v", at, found, expected[at])
		}
	}
}

func TestBatchesOfARealServerAreThoseOfTheVectors(t *testing.T) {
	server := startServer(t, "127.0.0.1:0")
	for _, c := range read[batchCase](t, "batches.json") {
		t.Run(c.Name, func(t *testing.T) {
			ctx, client := newClient(t, server.address, Options{})
			stream := begin(t, ctx, client, c.loader(t))
			check(t, all(t, stream), c.Batches)
			if stream.Reconnects() != 0 {
				t.Errorf("%d reconnects", stream.Reconnects())
			}
		})
	}
}

func TestPartsGiveTheBatchesAndErrorsOfTheVectors(t *testing.T) {
	for _, c := range read[partCase](t, "parts.json") {
		t.Run(c.Name, func(t *testing.T) {
			receiver := &receiver{assembler: assembler{mostBytes: c.MostBytes}}
			var batches []*Batch
			var damage PartErrorKind
			for _, bytes := range c.Parts {
				if err := newPartCodec().Unmarshal(mem.BufferSlice{mem.SliceBuffer(bytes)}, receiver); err != nil {
					t.Fatal(err)
				}
				if partError := (*PartError)(nil); errors.As(receiver.err, &partError) {
					damage = partError.Kind
					break
				}
				if receiver.batch != nil {
					batches = append(batches, receiver.batch)
				}
			}
			check(t, batches, c.Batches)
			if damage != c.Error {
				t.Errorf("the error is %q, expected %q", damage, c.Error)
			}
		})
	}
}
