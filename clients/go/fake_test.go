package feedline

import (
	"context"
	"hash/crc32"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

type parts = grpc.ServerStreamingServer[feedlinev1.BatchPart]

// fake is a server of epochs of three steps that does as it is told.
type fake struct {
	feedlinev1.UnimplementedFeedlineServiceServer
	// serve answers the request of the n-th stream, from 0.
	serve   func(n int, request *feedlinev1.StreamRequest, parts parts) error
	streams atomic.Int32
	// closed gets a value for every connection that has ended.
	closed chan struct{}
	// address is a socket in the file system.
	address string
}

// startFake starts a fake that lives as long as the test.
func startFake(t *testing.T, serve func(int, *feedlinev1.StreamRequest, parts) error) *fake {
	t.Helper()
	// Not that of the test, whose name may make the path too long for a socket.
	folder, err := os.MkdirTemp("", "feedline")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path := filepath.Join(folder, "socket")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	fake := &fake{serve: serve, closed: make(chan struct{}, 100), address: "unix:" + path}
	server := grpc.NewServer(grpc.StatsHandler(fake))
	feedlinev1.RegisterFeedlineServiceServer(server, fake)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return fake
}

func (f *fake) Describe(context.Context, *feedlinev1.DescribeRequest) (*feedlinev1.DescribeResponse, error) {
	return &feedlinev1.DescribeResponse{
		Spec:            &feedlinev1.LoaderSpec{DatasetFingerprint: "da7a"},
		SpecFingerprint: "5bec",
		StepsPerEpoch:   steps,
		PayloadBytes:    1 << 20,
	}, nil
}

func (f *fake) Stream(request *feedlinev1.StreamRequest, parts parts) error {
	return f.serve(int(f.streams.Add(1))-1, request, parts)
}

// send sends count batches from the start of the request on.
func send(request *feedlinev1.StreamRequest, parts parts, count uint64) error {
	start := request.GetDelivery().GetStart()
	first := uint64(start.GetEpoch())*steps + start.GetStep()
	for at := first; at < first+count; at++ {
		for _, part := range batchAt(at) {
			if err := parts.Send(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// batchAt returns the parts of the batch at a step counted from the first epoch on. Its payload is that number.
func batchAt(at uint64) []*feedlinev1.BatchPart {
	payload := make([]byte, 64)
	payload[0] = byte(at)
	epoch, step := uint32(at/steps), at%steps
	header := &feedlinev1.BatchHeader{
		Epoch: epoch,
		Step:  step,
		// The end of an epoch, not the start of the next one: both are allowed.
		Next:          &feedlinev1.Cursor{Epoch: epoch, Step: step + 1, DatasetFingerprint: "da7a", SpecFingerprint: "5bec"},
		Tensors:       []*feedlinev1.Tensor{{Name: "n", Dtype: feedlinev1.Dtype_DTYPE_INT64, Shape: []uint64{1}, Bytes: 8}},
		PayloadBytes:  64,
		PayloadCrc32C: proto.Uint32(crc32.Checksum(payload, castagnoli)),
	}
	bytes, err := proto.Marshal(header)
	if err != nil {
		panic(err)
	}
	return []*feedlinev1.BatchPart{
		{Header: bytes, HeaderCrc32C: proto.Uint32(crc32.Checksum(bytes, castagnoli)), Data: payload[:10]},
		{Offset: 10, Data: payload[10:]},
	}
}

// marked returns a status as the server chooses it.
func marked(parts parts, code codes.Code, mark string) error {
	parts.SetTrailer(metadata.Pairs("feedline-status", mark))
	return status.Error(code, "so I say")
}

const steps = 3

func (f *fake) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (f *fake) HandleRPC(context.Context, stats.RPCStats)                         {}
func (f *fake) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (f *fake) HandleConn(_ context.Context, event stats.ConnStats) {
	if _, ended := event.(*stats.ConnEnd); ended {
		f.closed <- struct{}{}
	}
}
