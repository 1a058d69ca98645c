// Package feedline reads batches of augmented images from a feedline server: in order, each exactly once, whatever
// happens to connections and servers.
//
// A [Loader] says what is wanted, [Client.Stream] begins it, and [Stream.Batches] hands the batches out. The messages
// of a request are those of the contract, package feedlinev1, which documents every field.
package feedline

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"github.com/feedline/feedline/clients/go/feedlinev1"
)

// ContractRevision is the revision of the contract that this client knows. A server that knows less refuses it.
const ContractRevision = 1

// Options say how a client behaves. The zero value is good.
type Options struct {
	// Name is the client's name in the server's log. Empty: its address.
	Name string
	// Job is the training job, for the server to report two streams of one rank. Empty: none.
	Job string
	// RetryFor is how long failures of the transport are retried, from the last time something arrived.
	// 0 means 60 s; less than 0, never.
	RetryFor time.Duration
	// DialOptions are applied after the client's own: credentials for TLS, say, or no proxy.
	DialOptions []grpc.DialOption
}

// Loader is one request: what is in a batch, which rows of it, in what form. Whatever is nil has its default.
type Loader struct {
	Spec      *feedlinev1.LoaderSpec
	Placement *feedlinev1.Placement
	Delivery  *feedlinev1.Delivery
}

// Client is a client of one server. It holds no connection: every call and every stream has its own, since streams
// that share one also share its window, and one that stalls would stop the others. It may be used by several
// goroutines.
type Client struct {
	address string
	target  string
	options Options
}

// New returns a client of the server at address: "HOST:PORT" or "unix:PATH". Whether anybody is there shows with the
// first call.
func New(address string, options Options) (*Client, error) {
	target := address
	if path, isUnix := strings.CutPrefix(address, "unix:"); !isUnix {
		if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
			return nil, fmt.Errorf("feedline: %q is no address, expected HOST:PORT or unix:PATH", address)
		}
		target = "dns:///" + address
	} else if path == "" {
		return nil, fmt.Errorf("feedline: the path is missing in %q", address)
	}
	if options.RetryFor == 0 {
		options.RetryFor = 60 * time.Second
	}
	client := &Client{address: address, target: target, options: options}
	connection, err := client.dial(0)
	if err != nil {
		return nil, fmt.Errorf("feedline: %q: %w", address, err)
	}
	return client, connection.Close()
}

// ListDatasets says what datasets there are. Its errors are those of [Client.Stream].
func (c *Client) ListDatasets(ctx context.Context) (*feedlinev1.ListDatasetsResponse, error) {
	request := &feedlinev1.ListDatasetsRequest{ContractRevision: ContractRevision}
	return retried(ctx, c, request, feedlinev1.FeedlineServiceClient.ListDatasets)
}

// ListSamples returns a page of the samples of a split: it leads from a sample's index back to a file. Its errors are
// those of [Client.Stream].
func (c *Client) ListSamples(ctx context.Context, request *feedlinev1.ListSamplesRequest) (*feedlinev1.ListSamplesResponse, error) {
	request = proto.CloneOf(request)
	request.ContractRevision = ContractRevision
	return retried(ctx, c, request, feedlinev1.FeedlineServiceClient.ListSamples)
}

// Describe checks all of loader and says what it would give. Its errors are those of [Client.Stream].
func (c *Client) Describe(ctx context.Context, loader Loader) (*feedlinev1.DescribeResponse, error) {
	request := &feedlinev1.DescribeRequest{
		ContractRevision: ContractRevision,
		Spec:             loader.Spec,
		Placement:        loader.Placement,
		Delivery:         loader.Delivery,
	}
	return retried(ctx, c, request, feedlinev1.FeedlineServiceClient.Describe)
}

// Stream begins the batches of loader at Delivery.start. It describes loader first, so that what cannot succeed fails
// here; from then on the stream insists on the dataset and the spec that were described.
//
// The stream lives until ctx is done or [Stream.Close] is called. The error is a [*RefusedError] with the server's
// reason, an [*UnreachableError], or the cause of ctx.
func (c *Client) Stream(ctx context.Context, loader Loader) (*Stream, error) {
	description, err := c.Describe(ctx, loader)
	if err != nil {
		return nil, err
	}
	return newStream(ctx, c, loader, description), nil
}

// dial returns a connection, which begins with its first call; it fails if that takes longer than limit.
func (c *Client) dial(limit time.Duration) (*grpc.ClientConn, error) {
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(mostMessageBytes)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: limit}),
		grpc.WithStaticStreamWindowSize(window),
		grpc.WithStaticConnWindowSize(2 * window),
		grpc.WithDisableServiceConfig(),
	}
	return grpc.NewClient(c.target, append(options, c.options.DialOptions...)...)
}

// retried makes a call that has one answer, on a connection of its own, until it succeeds or there is no hope.
func retried[Q, A any](
	ctx context.Context, c *Client, request Q,
	call func(feedlinev1.FeedlineServiceClient, context.Context, Q, ...grpc.CallOption) (A, error),
) (A, error) {
	once := func(limit time.Duration) (answer A, trailer metadata.MD, err error) {
		connection, err := c.dial(limit)
		if err != nil {
			return answer, nil, err
		}
		defer connection.Close()
		answer, err = call(feedlinev1.NewFeedlineServiceClient(connection), ctx, request, grpc.Trailer(&trailer))
		return answer, trailer, err
	}
	for retry := newRetry(c.options.RetryFor); ; {
		answer, trailer, err := once(retry.connect())
		if err == nil {
			return answer, nil
		}
		if err := c.wait(ctx, retry, failureOf(err, trailer)); err != nil {
			return answer, err
		}
	}
}

// wait pauses before the next try after err, a failure or a PartError, or says why there is none.
func (c *Client) wait(ctx context.Context, retry *retry, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	pause, ok := retry.next()
	if failure, is := err.(*failure); is && !failure.mayPass() {
		ok = false
	}
	if !ok {
		return c.verdict(retry, err)
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// verdict is what the caller is told if no other try follows err, a failure or a PartError.
func (c *Client) verdict(retry *retry, err error) error {
	switch err := err.(type) {
	case *PartError:
		return &BrokenError{Address: c.address, Cause: err}
	case *failure:
		// What the server itself says is worth more than that it was tried again and again.
		if err.mark != "" || !err.mayPass() {
			return &RefusedError{Code: err.status.Code(), Message: err.status.Message()}
		}
	}
	return &UnreachableError{Address: c.address, Waited: retry.waited(), Cause: err}
}

const (
	// window is the HTTP/2 window of a stream in bytes: what may be under way while this side is busy.
	window = 4 << 20
	// mostMessageBytes is the largest message that is taken: the largest part that may be asked for, and its header.
	mostMessageBytes = 66 << 20
)
