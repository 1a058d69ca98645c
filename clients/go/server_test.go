package feedline

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// vectors is the folder of what clients in every language have to find.
var vectors = filepath.Join("..", "..", "tests", "data", "vectors")

// server is `feedline serve` of the vectors' dataset, as a process.
type server struct {
	address string
	process *exec.Cmd
}

// startServer starts the program that FEEDLINE names, and waits until it listens.
func startServer(t *testing.T, address string) *server {
	t.Helper()
	program := os.Getenv("FEEDLINE")
	if program == "" {
		t.Fatal("FEEDLINE does not name the server's program; make go sets it")
	}
	process := exec.Command(program, "--log", "warn", "serve", filepath.Join(vectors, "dataset"), "--listen", address)
	process.Stderr = os.Stderr
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	server := &server{process: process}
	t.Cleanup(server.kill)
	line, err := bufio.NewReader(output).ReadString('\n')
	address, ok := strings.CutPrefix(line, "listening on ")
	if !ok {
		t.Fatalf("the server says %q: %v", line, err)
	}
	server.address = strings.TrimSpace(address)
	return server
}

// kill gives the server no chance to say goodbye. It may be called again.
func (s *server) kill() {
	// Both fail only if the process has ended already.
	_ = s.process.Process.Kill()
	_ = s.process.Wait()
}

// client returns a client of the server at address, and a context that ends with the test.
func newClient(t *testing.T, address string, options Options) (context.Context, *Client) {
	t.Helper()
	client, err := New(address, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx, client
}

// begin begins a stream that is closed with the test.
func begin(t *testing.T, ctx context.Context, client *Client, loader Loader) *Stream {
	t.Helper()
	stream, err := client.Stream(ctx, loader)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Close)
	return stream
}

// all returns the batches that are still to come.
func all(t *testing.T, stream *Stream) []*Batch {
	t.Helper()
	var batches []*Batch
	for batch, err := range stream.Batches() {
		if err != nil {
			t.Fatalf("after %d batches: %v", len(batches), err)
		}
		batches = append(batches, batch)
	}
	return batches
}
