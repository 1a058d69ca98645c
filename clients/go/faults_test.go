package feedline

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// numbers returns what the batches of a fake hold.
func numbers(t *testing.T, batches ...*Batch) []int64 {
	t.Helper()
	var numbers []int64
	for _, batch := range batches {
		view, err := View[int64](batch, "n")
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, view...)
	}
	return numbers
}

// five asks for that many batches.
var five = Loader{Delivery: &feedlinev1.Delivery{Count: proto.Uint64(5)}}

func TestWhatMayPassCostsNoBatch(t *testing.T) {
	for name, fault := range map[string]func(parts) error{
		"a stream that ends early":         func(parts) error { return nil },
		"a peer that is away":              func(parts) error { return status.Error(codes.Unavailable, "reset") },
		"a peer that is lost":              func(parts) error { return status.Error(codes.Internal, "reset") },
		"a server that stops":              func(p parts) error { return marked(p, codes.Unavailable, "retry") },
		"a server that is full":            func(p parts) error { return marked(p, codes.ResourceExhausted, "retry") },
		"a part that comes from elsewhere": func(p parts) error { return p.Send(batchAt(3)[1]) },
		"a batch that was not asked for":   func(p parts) error { return send(&feedlinev1.StreamRequest{}, p, 1) },
		"a message that is no part":        func(p parts) error { return p.SendMsg(&feedlinev1.ListSamplesRequest{Split: "\b"}) },
	} {
		t.Run(name, func(t *testing.T) {
			fake := startFake(t, func(n int, request *feedlinev1.StreamRequest, parts parts) error {
				start := request.GetDelivery().GetStart()
				if start.GetDatasetFingerprint() != "da7a" || start.GetSpecFingerprint() != "5bec" {
					t.Errorf("the stream does not insist on what was described: %v", start)
				}
				if n > 0 {
					return send(request, parts, request.GetDelivery().GetCount())
				}
				if err := send(request, parts, 2); err != nil {
					return err
				}
				return fault(parts)
			})
			ctx, client := newClient(t, fake.address, Options{})
			stream := begin(t, ctx, client, five)
			batches := numbers(t, all(t, stream)...)
			for at, number := range batches {
				if number != int64(at) || len(batches) != 5 {
					t.Fatalf("batches %v", batches)
				}
			}
			if cursor := stream.Cursor(); stream.Reconnects() != 1 || cursor.GetEpoch() != 1 || cursor.GetStep() != 2 {
				t.Errorf("%d reconnects, cursor %v", stream.Reconnects(), cursor)
			}
		})
	}
}

func TestWhatDoesNotPassIsSaidAtOnce(t *testing.T) {
	for name, fault := range map[string]func(parts) error{
		"a final refusal":       func(p parts) error { return marked(p, codes.Unavailable, "final") },
		"damage of the dataset": func(p parts) error { return marked(p, codes.DataLoss, "final") },
		"another service":       func(parts) error { return status.Error(codes.Unimplemented, "so I say") },
	} {
		t.Run(name, func(t *testing.T) {
			fake := startFake(t, func(_ int, _ *feedlinev1.StreamRequest, parts parts) error { return fault(parts) })
			ctx, client := newClient(t, fake.address, Options{RetryFor: time.Hour})
			_, err := begin(t, ctx, client, five).Next()
			var refused *RefusedError
			if !errors.As(err, &refused) || refused.Message != "so I say" || fake.streams.Load() != 1 {
				t.Errorf("after %d streams: %v", fake.streams.Load(), err)
			}
		})
	}
}

func TestAServerThatStaysFullIsReportedInItsOwnWords(t *testing.T) {
	fake := startFake(t, func(_ int, _ *feedlinev1.StreamRequest, parts parts) error {
		return marked(parts, codes.ResourceExhausted, "retry")
	})
	ctx, client := newClient(t, fake.address, Options{RetryFor: 100 * time.Millisecond})
	_, err := begin(t, ctx, client, five).Next()
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Code != codes.ResourceExhausted || fake.streams.Load() < 2 {
		t.Errorf("after %d streams: %v", fake.streams.Load(), err)
	}
}

func TestFiveDamagedMessagesInARowAreABrokenContract(t *testing.T) {
	fake := startFake(t, func(_ int, request *feedlinev1.StreamRequest, parts parts) error {
		return parts.Send(batchAt(0)[1])
	})
	ctx, client := newClient(t, fake.address, Options{})
	_, err := begin(t, ctx, client, five).Next()
	var broken *BrokenError
	if !errors.As(err, &broken) || broken.Cause.Kind != Headless || fake.streams.Load() != 5 {
		t.Errorf("after %d streams: %v", fake.streams.Load(), err)
	}
	ctx, client = newClient(t, fake.address, Options{RetryFor: -1})
	if _, err = begin(t, ctx, client, five).Next(); !errors.As(err, &broken) || fake.streams.Load() != 6 {
		t.Errorf("after %d streams: %v", fake.streams.Load(), err)
	}
}

// endless sends two batches and waits until the client leaves.
func endless(_ int, request *feedlinev1.StreamRequest, parts parts) error {
	if err := send(request, parts, 2); err != nil {
		return err
	}
	<-parts.Context().Done()
	return nil
}

func TestALoopThatBreaksOffIsFollowedByTheNextBatch(t *testing.T) {
	fake := startFake(t, endless)
	ctx, client := newClient(t, fake.address, Options{})
	stream := begin(t, ctx, client, Loader{})
	for expected := range int64(2) {
		for batch, err := range stream.Batches() {
			if err != nil {
				t.Fatal(err)
			}
			if found := numbers(t, batch)[0]; found != expected {
				t.Errorf("batch %d, expected %d", found, expected)
			}
			break
		}
	}
}

func TestEveryEndFreesTheConnectionAndWhoeverWaits(t *testing.T) {
	cause := errors.New("enough")
	for name, c := range map[string]struct {
		end      func(*Stream, context.CancelCauseFunc)
		expected error
	}{
		"close":  {func(stream *Stream, _ context.CancelCauseFunc) { stream.Close() }, ErrClosed},
		"cancel": {func(_ *Stream, cancel context.CancelCauseFunc) { cancel(cause) }, cause},
	} {
		t.Run(name, func(t *testing.T) {
			fake := startFake(t, endless)
			ctx, client := newClient(t, fake.address, Options{})
			ctx, cancel := context.WithCancelCause(ctx)
			stream := begin(t, ctx, client, Loader{})
			<-fake.closed // That of Describe.
			failed := make(chan error)
			two := make(chan struct{})
			go func() {
				for batches := 1; ; batches++ {
					if _, err := stream.Next(); err != nil {
						failed <- err
						return
					}
					if batches == 2 {
						close(two)
					}
				}
			}()
			<-two
			c.end(stream, cancel)
			if err := <-failed; err != c.expected {
				t.Errorf("%v, expected %v", err, c.expected)
			}
			<-fake.closed
			if _, err := stream.Next(); err != c.expected {
				t.Errorf("afterwards %v", err)
			}
		})
	}
}

func TestTheLastBatchFreesTheConnection(t *testing.T) {
	fake := startFake(t, func(_ int, request *feedlinev1.StreamRequest, parts parts) error { return send(request, parts, 5) })
	ctx, client := newClient(t, fake.address, Options{})
	stream := begin(t, ctx, client, five)
	<-fake.closed // That of Describe.
	all(t, stream)
	<-fake.closed
	if _, err := stream.Next(); err != io.EOF {
		t.Errorf("%v", err)
	}
}
