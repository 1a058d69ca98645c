package feedline

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// ErrClosed is the error of a [Stream] after [Stream.Close].
var ErrClosed = errors.New("feedline: the stream is closed")

// RefusedError is a refusal by the server, for a reason that trying again does not change.
type RefusedError struct {
	// Code is the server's code. The contract says what each means.
	Code codes.Code
	// Message is the server's reason.
	Message string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("feedline: the server refused with %v: %s", e.Code, e.Message)
}

// UnreachableError is a transport that failed for longer than [Options.RetryFor].
type UnreachableError struct {
	// Address is that of the server, as it was given.
	Address string
	// Waited is how long it was tried.
	Waited time.Duration
	// Cause is the last failure.
	Cause error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("feedline: no answer from %s for %.1f s: %v", e.Address, e.Waited.Seconds(), e.Cause)
}

func (e *UnreachableError) Unwrap() error { return e.Cause }

// BrokenError is a server, or something on the way to it, whose messages break the contract again and again.
type BrokenError struct {
	// Address is that of the server, as it was given.
	Address string
	// Cause says what is wrong with the last message.
	Cause *PartError
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("feedline: the server at %s breaks the contract: %v", e.Address, e.Cause)
}

func (e *BrokenError) Unwrap() error { return e.Cause }

// PartError says what is wrong with a part of a batch.
type PartError struct {
	Kind    PartErrorKind
	Message string
}

func (e *PartError) Error() string { return e.Message }

// PartErrorKind is a way to break the contract.
type PartErrorKind string

const (
	// HeaderChecksum: the CRC32C of the header differs.
	HeaderChecksum PartErrorKind = "header_checksum"
	// PayloadChecksum: the CRC32C of the payload differs.
	PayloadChecksum PartErrorKind = "payload_checksum"
	// BadTensor: a tensor has an unknown dtype, or does not lie where the contract says.
	BadTensor PartErrorKind = "tensor"
	// BadHeader: the header is no BatchHeader.
	BadHeader PartErrorKind = "header"
	// BadOffset: a part is missing, comes twice or is too long.
	BadOffset PartErrorKind = "offset"
	// BadLength: the batch is longer than any that was described.
	BadLength PartErrorKind = "length"
	// Early: a batch begins before the one before it was whole.
	Early PartErrorKind = "early"
	// Headless: a batch begins without header.
	Headless PartErrorKind = "headless"
	// BadMessage: the message is no BatchPart.
	BadMessage PartErrorKind = "message"
	// OtherBatch: the batch is not the one that was asked for.
	OtherBatch PartErrorKind = "batch"
)

func wrong(kind PartErrorKind, format string, arguments ...any) error {
	return &PartError{Kind: kind, Message: fmt.Sprintf(format, arguments...)}
}

// failure is the status that ended a call, and what the server says of it.
type failure struct {
	status *status.Status
	// mark is "retry" or "final"; empty if the server did not choose the status.
	mark string
}

func (f *failure) Error() string { return f.status.Err().Error() }

// GRPCStatus lets status.FromError find the status.
func (f *failure) GRPCStatus() *status.Status { return f.status }

func failureOf(err error, trailer metadata.MD) error {
	failure := &failure{status: status.Convert(err)}
	if marks := trailer.Get("feedline-status"); len(marks) > 0 {
		failure.mark = marks[0]
	}
	return failure
}

// mayPass tells whether another try may go better. Of the statuses that the server chose, those that it says may
// pass; of the others, those under which transports report a peer that is lost, full or away. What is left, such as
// Unimplemented, comes from a program that is not feedline.
func (f *failure) mayPass() bool {
	if f.mark != "" {
		return f.mark == "retry"
	}
	switch f.status.Code() {
	case codes.Unavailable, codes.ResourceExhausted, codes.Canceled, codes.Internal, codes.Unknown,
		codes.DeadlineExceeded, codes.Aborted:
		return true
	}
	return false
}
