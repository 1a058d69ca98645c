package feedline

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// floats is the case whose epoch does not fit the smallest window, so that a stream is cut in its middle.
func floats(t *testing.T) batchCase {
	t.Helper()
	for _, c := range read[batchCase](t, "batches.json") {
		if strings.HasPrefix(c.Name, "an epoch of FP32") {
			return c
		}
	}
	t.Fatal("no epoch of FP32")
	return batchCase{}
}

func TestAServerThatIsKilledAndStartedAgainCostsNoBatch(t *testing.T) {
	c, mortal := floats(t), startServer(t, "127.0.0.1:0")
	small := []grpc.DialOption{grpc.WithStaticStreamWindowSize(1 << 16), grpc.WithStaticConnWindowSize(1 << 16)}
	ctx, client := newClient(t, mortal.address, Options{DialOptions: small})
	stream := begin(t, ctx, client, c.loader(t))
	first, err := stream.Next()
	if err != nil {
		t.Fatal(err)
	}
	mortal.kill()
	startServer(t, mortal.address)
	check(t, append([]*Batch{first}, all(t, stream)...), c.Batches)
	if stream.Reconnects() == 0 {
		t.Error("the stream was not cut")
	}
}

func TestAFreshClientGoesOnFromASavedCursor(t *testing.T) {
	c, server := floats(t), startServer(t, "127.0.0.1:0")
	ctx, client := newClient(t, server.address, Options{})
	stream := begin(t, ctx, client, c.loader(t))
	first, err := stream.Next()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := protojson.Marshal(stream.Cursor())
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()

	cursor := new(feedlinev1.Cursor)
	if err := protojson.Unmarshal(saved, cursor); err != nil {
		t.Fatal(err)
	}
	loader := c.loader(t)
	count := loader.Delivery.GetCount() - 1
	loader.Delivery.Start, loader.Delivery.Count = cursor, &count
	ctx, fresh := newClient(t, server.address, Options{})
	check(t, append([]*Batch{first}, all(t, begin(t, ctx, fresh, loader))...), c.Batches)

	loader.Spec.Seed++
	var refused *RefusedError
	if _, err := fresh.Stream(ctx, loader); !errors.As(err, &refused) || refused.Code != codes.FailedPrecondition {
		t.Errorf("a cursor of another spec: %v", err)
	}
}

func TestABadRequestIsRefusedAtOnceWithItsReason(t *testing.T) {
	server := startServer(t, "127.0.0.1:0")
	ctx, client := newClient(t, server.address, Options{RetryFor: time.Hour})
	named := func(name string) *feedlinev1.LoaderSpec {
		return &feedlinev1.LoaderSpec{GlobalBatchSize: 4, Pipeline: &feedlinev1.Pipeline{Name: name}}
	}
	for _, c := range []struct {
		spec   *feedlinev1.LoaderSpec
		code   codes.Code
		reason string
	}{
		{&feedlinev1.LoaderSpec{}, codes.InvalidArgument, "global_batch_size"},
		{named("imagenet-trian"), codes.NotFound, "imagenet-trian"},
	} {
		_, err := client.Stream(ctx, Loader{Spec: c.spec})
		var refused *RefusedError
		if !errors.As(err, &refused) || refused.Code != c.code || !strings.Contains(refused.Message, c.reason) {
			t.Errorf("%v, expected %v of %s", err, c.code, c.reason)
		}
	}
}

func TestDatasetsAndSamplesAreListed(t *testing.T) {
	server := startServer(t, "127.0.0.1:0")
	ctx, client := newClient(t, server.address, Options{})
	datasets, err := client.ListDatasets(ctx)
	if err != nil || len(datasets.GetDatasets()) != 1 {
		t.Fatalf("%v: %v", datasets, err)
	}
	page, err := client.ListSamples(ctx, &feedlinev1.ListSamplesRequest{Dataset: datasets.GetDatasets()[0].GetName()})
	if err != nil || uint64(len(page.GetSamples())) != datasets.GetDatasets()[0].GetSplits()[0].GetSamples() {
		t.Errorf("%d samples: %v", len(page.GetSamples()), err)
	}
}

func TestTheExamplePrintsShapesAndLabels(t *testing.T) {
	server := startServer(t, "127.0.0.1:0")
	peek := exec.CommandContext(t.Context(), "go", "run", "-buildvcs=false", "./examples/peek", "-address", server.address, "-count", "2")
	peek.Stderr = os.Stderr
	output, err := peek.Output()
	if err != nil {
		t.Fatal(err)
	}
	for text, times := range map[string]int{"epoch 0 step 1\n": 1, "image DTYPE_UINT8 [8 3 64 64]\n": 2, "sample ": 16, ": cat\n": 2} {
		if found := strings.Count(string(output), text); found != times {
			t.Errorf("%q is there %d times, expected %d, in\n%s", text, found, times, output)
		}
	}
}

func TestAnUnreachableAddressFailsWhenTheTimeIsOver(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	const limit = 300 * time.Millisecond
	ctx, client := newClient(t, address, Options{RetryFor: limit})
	_, err = client.Stream(ctx, Loader{})
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) || unreachable.Address != address || unreachable.Waited < limit {
		t.Fatalf("%#v", err)
	}
	for _, word := range []string{"no answer from " + address, " s: ", "refused"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, address := range []string{"", "localhost", "localhost:", "unix:", "http://localhost:1"} {
		if _, err := New(address, Options{}); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}
