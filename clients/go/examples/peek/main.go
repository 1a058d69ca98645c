// Peek prints shapes and labels of some batches of a feedline server.
//
//	go run ./examples/peek -address 127.0.0.1:50051
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"

	"google.golang.org/protobuf/proto"

	feedline "github.com/feedline/feedline/clients/go"
	"github.com/feedline/feedline/clients/go/feedlinev1"
)

func main() {
	log.SetFlags(0)
	address := flag.String("address", "127.0.0.1:50051", "`HOST:PORT` or unix:PATH of the server")
	dataset := flag.String("dataset", "", "`name` of the dataset; may be left out when the server has one only")
	count := flag.Uint64("count", 3, "number of batches")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := peek(ctx, *address, *dataset, *count); err != nil {
		log.Fatal(err)
	}
}

func peek(ctx context.Context, address, dataset string, count uint64) error {
	client, err := feedline.New(address, feedline.Options{Name: "peek"})
	if err != nil {
		return err
	}
	stream, err := client.Stream(ctx, feedline.Loader{
		Spec: &feedlinev1.LoaderSpec{
			Dataset:         dataset,
			GlobalBatchSize: 8,
			Seed:            1,
			Pipeline: &feedlinev1.Pipeline{Ops: []*feedlinev1.Op{
				{Op: &feedlinev1.Op_RandomResizedCrop{RandomResizedCrop: &feedlinev1.RandomResizedCrop{Height: 64, Width: 64}}},
				{Op: &feedlinev1.Op_HorizontalFlip{HorizontalFlip: &feedlinev1.HorizontalFlip{}}},
			}},
		},
		Delivery: &feedlinev1.Delivery{Dtype: feedlinev1.Dtype_DTYPE_UINT8, Count: proto.Uint64(count)},
	})
	if err != nil {
		return err
	}
	defer stream.Close()
	classes := stream.Description().GetClasses()
	for batch, err := range stream.Batches() {
		if err != nil {
			return err
		}
		fmt.Printf("epoch %d step %d\n", batch.Header.GetEpoch(), batch.Header.GetStep())
		for _, tensor := range batch.Tensors() {
			fmt.Printf("  %s %v %v\n", tensor.Name, tensor.Dtype, tensor.Shape)
		}
		labels, err := feedline.View[int64](batch, "label")
		if err != nil {
			return err
		}
		for row, label := range labels {
			// Datasets without classes have the label -1 everywhere.
			name := "unlabelled"
			if label >= 0 && int(label) < len(classes) {
				name = classes[label]
			}
			fmt.Printf("  sample %d: %s\n", batch.Samples()[row], name)
		}
	}
	return nil
}
