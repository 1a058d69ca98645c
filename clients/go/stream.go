package feedline

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// Stream hands out batches in plan order. A lost connection, a restarted server and a damaged message cost time, never
// a batch: the stream goes on with the next one. It reads only when it is asked, beyond what fits the HTTP/2 window.
//
// Only [Stream.Close] may be called while another goroutine uses the stream.
type Stream struct {
	client      *Client
	description *feedlinev1.DescribeResponse
	ctx         context.Context
	close       context.CancelCauseFunc
	// request is what to ask for next: its start is behind the last batch, its count what is left.
	request *feedlinev1.StreamRequest
	// attempt is the connection in use; nil if there is none.
	attempt *attempt
	// ended says that the server knows of no batch after the last one.
	ended      bool
	reconnects int
}

// attempt is one connection with one stream on it.
type attempt struct {
	parts    grpc.ClientStream
	receiver receiver
	end      context.CancelFunc
}

func newStream(ctx context.Context, client *Client, loader Loader, description *feedlinev1.DescribeResponse) *Stream {
	delivery := &feedlinev1.Delivery{}
	proto.Merge(delivery, loader.Delivery)
	delivery.Start = &feedlinev1.Cursor{
		Epoch:              delivery.GetStart().GetEpoch(),
		Step:               delivery.GetStart().GetStep(),
		DatasetFingerprint: description.GetSpec().GetDatasetFingerprint(),
		SpecFingerprint:    description.GetSpecFingerprint(),
	}
	request := &feedlinev1.StreamRequest{
		ContractRevision: ContractRevision,
		Spec:             proto.CloneOf(loader.Spec),
		Placement:        proto.CloneOf(loader.Placement),
		Delivery:         delivery,
		Client:           &feedlinev1.ClientInfo{Name: client.options.Name, Job: client.options.Job},
	}
	stream := &Stream{client: client, description: description, request: request}
	stream.ctx, stream.close = context.WithCancelCause(ctx)
	return stream
}

// Description is what the server said of the stream.
func (s *Stream) Description() *feedlinev1.DescribeResponse { return s.description }

// Cursor is where a client goes on that has every batch handed out up to now: what to save in a checkpoint, with
// protojson for example. A later stream begins there with it as Delivery.start.
func (s *Stream) Cursor() *feedlinev1.Cursor {
	return proto.CloneOf(s.request.GetDelivery().GetStart())
}

// Reconnects is how often the stream was begun again.
func (s *Stream) Reconnects() int { return s.reconnects }

// Close ends the stream and frees its connection. Whoever waits in [Stream.Next] gets [ErrClosed].
func (s *Stream) Close() { s.close(ErrClosed) }

// Batches returns the batches that are still to come; the last pair has the error, if there was one. A loop that
// breaks off leaves the stream as it is: another goes on with the next batch.
func (s *Stream) Batches() iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		for {
			batch, err := s.Next()
			if err == io.EOF || !yield(batch, err) || err != nil {
				return
			}
		}
	}
}

// Next returns the next batch, and [io.EOF] after Delivery.count of them.
//
// Other errors are a [*RefusedError], an [*UnreachableError], a [*BrokenError], [ErrClosed], or the cause of the
// context. But for the last two, the stream can be asked again.
func (s *Stream) Next() (*Batch, error) {
	if delivery := s.request.GetDelivery(); s.ended || delivery.Count != nil && delivery.GetCount() == 0 {
		s.close(io.EOF)
		return nil, io.EOF
	}
	// A clock of its own: the time that the caller spends on a batch is not the server's.
	retry := newRetry(s.client.options.RetryFor)
	for broken := 0; ; s.reconnects++ {
		batch, err := s.try(retry)
		if err == nil {
			return batch, nil
		}
		if s.attempt != nil {
			s.attempt.end()
			s.attempt = nil
		}
		if _, is := err.(*PartError); is {
			if broken++; broken == mostBroken {
				return nil, s.client.verdict(retry, err)
			}
		}
		if err := s.client.wait(s.ctx, retry, err); err != nil {
			return nil, err
		}
	}
}

// try returns the next batch, or the failure or PartError that kept it away.
func (s *Stream) try(retry *retry) (*Batch, error) {
	if s.attempt == nil {
		attempt, err := s.begin(retry)
		if err != nil {
			return nil, failureOf(err, nil)
		}
		s.attempt = attempt
	}
	receiver := &s.attempt.receiver
	for {
		if err := s.attempt.parts.RecvMsg(receiver); err != nil {
			if errors.Is(err, io.EOF) {
				// A stream that ends before its count was cut off by something between us.
				err = status.Error(codes.Unavailable, "the stream ended early")
			}
			return nil, failureOf(err, s.attempt.parts.Trailer())
		}
		retry.reset()
		if receiver.err != nil {
			return nil, receiver.err
		}
		if batch := receiver.batch; batch != nil {
			receiver.batch = nil
			return batch, s.advance(batch.Header)
		}
	}
}

// advance sets what to ask for next, if this is the header of the batch that was asked for.
func (s *Stream) advance(header *feedlinev1.BatchHeader) error {
	delivery := s.request.GetDelivery()
	asked := delivery.GetStart()
	isAsked := header.GetEpoch() == asked.GetEpoch() && header.GetStep() == asked.GetStep()
	// The end of an epoch is the start of the next one.
	isNextEpoch := asked.GetStep() == s.description.GetStepsPerEpoch() &&
		uint64(header.GetEpoch()) == uint64(asked.GetEpoch())+1 && header.GetStep() == 0
	if !isAsked && !isNextEpoch {
		return wrong(OtherBatch, "batch %d:%d came, expected %d:%d",
			header.GetEpoch(), header.GetStep(), asked.GetEpoch(), asked.GetStep())
	}
	if delivery.Count != nil {
		delivery.Count = proto.Uint64(delivery.GetCount() - 1)
	}
	if header.GetNext() == nil {
		s.ended = true
	} else {
		delivery.Start = proto.CloneOf(header.GetNext())
	}
	return nil
}

// begin connects and asks for what is left.
func (s *Stream) begin(retry *retry) (*attempt, error) {
	connection, err := s.client.dial(retry.connect())
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(s.ctx)
	context.AfterFunc(ctx, func() { connection.Close() })
	parts, err := feedlinev1.NewFeedlineServiceClient(connection).Stream(ctx, s.request, grpc.ForceCodecV2(newPartCodec()))
	if err != nil {
		end()
		return nil, err
	}
	receiver := receiver{assembler: assembler{mostBytes: s.description.GetPayloadBytes()}}
	return &attempt{parts: parts, receiver: receiver, end: end}, nil
}

// mostBroken is how many messages in a row may break the contract before it is not chance any more.
const mostBroken = 5
