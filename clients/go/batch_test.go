package feedline

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

func TestNumbersOf16BitsAreExactIn32(t *testing.T) {
	for bits, expected := range map[Float16]float32{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0400: 1.0 / (1 << 14), 0x0001: 1.0 / (1 << 24),
		0x83ff: -1023.0 / (1 << 24), 0x7c00: float32(math.Inf(1)), 0xfc00: float32(math.Inf(-1)),
	} {
		if found := bits.Float32(); found != expected {
			t.Errorf("%#04x is %v, expected %v", uint16(bits), found, expected)
		}
	}
	if !math.Signbit(float64(Float16(0x8000).Float32())) || Float16(0x7e00).Float32() == Float16(0x7e00).Float32() {
		t.Error("minus zero or NaN is lost")
	}
	for bits, expected := range map[BFloat16]float32{0: 0, 0x3f80: 1, 0xc040: -3, 0x7f80: float32(math.Inf(1))} {
		if found := bits.Float32(); found != expected {
			t.Errorf("%#04x is %v, expected %v", uint16(bits), found, expected)
		}
	}
}

func TestAViewOfAnotherTypeIsRefused(t *testing.T) {
	label := &feedlinev1.Tensor{Name: "label", Dtype: feedlinev1.Dtype_DTYPE_INT64, Shape: []uint64{2}, Bytes: 16}
	batch := &Batch{Header: &feedlinev1.BatchHeader{Tensors: []*feedlinev1.Tensor{label}}, Payload: newPayload(64)}
	if view, err := View[int64](batch, "label"); err != nil || len(view) != 2 {
		t.Errorf("%v: %v", view, err)
	}
	if _, err := View[float32](batch, "label"); err == nil || !strings.Contains(err.Error(), "DTYPE_INT64, not DTYPE_FP32") {
		t.Errorf("another type: %v", err)
	}
	if _, err := View[uint8](batch, "image"); err == nil || !strings.Contains(err.Error(), `"image"`) {
		t.Errorf("no such tensor: %v", err)
	}
}

func TestSamplesOfLargeBatchesTravelAsATensor(t *testing.T) {
	sample := &feedlinev1.Tensor{Name: "sample", Dtype: feedlinev1.Dtype_DTYPE_INT64, Shape: []uint64{2}, Bytes: 16}
	batch := &Batch{Header: &feedlinev1.BatchHeader{Tensors: []*feedlinev1.Tensor{sample}}, Payload: newPayload(64)}
	batch.Payload[0], batch.Payload[9] = 7, 1
	if samples := batch.Samples(); !slices.Equal(samples, []uint64{7, 256}) {
		t.Errorf("%v", samples)
	}
}

func TestEverySampleGetsTheMeanOfItsViews(t *testing.T) {
	predictions := []float32{1, 10, 3, 20, 5, 0, 7, 2}
	if means, err := MeanOfViews(predictions, 2, 2); err != nil || !slices.Equal(means, []float32{2, 15, 6, 1}) {
		t.Errorf("%v: %v", means, err)
	}
	if means, err := MeanOfViews(predictions, 0, 2); err != nil || !slices.Equal(means, predictions) {
		t.Errorf("%v: %v", means, err)
	}
	if _, err := MeanOfViews(predictions, 3, 1); err == nil || !strings.Contains(err.Error(), "8 numbers") {
		t.Errorf("two samples and two thirds: %v", err)
	}
	if _, err := MeanOfViews(nil, 1, 0); err == nil {
		t.Error("rows of no numbers were taken")
	}
}

func TestAPartIsDecodedAsProtobufWouldWhateverTheOrderOfItsFields(t *testing.T) {
	part := &feedlinev1.BatchPart{Header: []byte("h"), HeaderCrc32C: proto.Uint32(3), Offset: 4, Data: []byte("data")}
	ordered, err := proto.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	data := []byte("\x7a\x05later")
	for _, message := range [][]byte{
		nil, ordered, append(slices.Clone(ordered), data...), append(slices.Clone(data), ordered...),
		append(slices.Clone(data), 0x20, 0x09), []byte("\x7a\x00"), []byte("\x7a\x09short"), []byte("\x0a"),
	} {
		expected := new(feedlinev1.BatchPart)
		expectedErr := proto.Unmarshal(message, expected)
		found, err := decode(message)
		if (err == nil) != (expectedErr == nil) || err == nil && !proto.Equal(found, expected) {
			t.Errorf("%q is %v (%v), expected %v (%v)", message, found, err, expected, expectedErr)
		}
	}
}

func TestPausesGrowAndEndWithTheLimit(t *testing.T) {
	retry := newRetry(time.Hour)
	var pauses []time.Duration
	for range 12 {
		pause, _ := retry.next()
		pauses = append(pauses, pause)
	}
	if pauses[0] > firstPause*3/2 || pauses[11] < longestPause/2 || pauses[11] > longestPause*3/2 {
		t.Errorf("%v", pauses)
	}
	if retry.reset(); retry.pause != firstPause {
		t.Errorf("%v after something arrived", retry.pause)
	}
	if _, ok := newRetry(-1).next(); ok {
		t.Error("a pause beyond the limit")
	}
}
