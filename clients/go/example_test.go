package feedline_test

import (
	"context"
	"fmt"
	"log"

	feedline "github.com/feedline/feedline/clients/go"
	"github.com/feedline/feedline/clients/go/feedlinev1"
)

func ExampleClient_Stream() {
	client, err := feedline.New("127.0.0.1:50051", feedline.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var cursor *feedlinev1.Cursor // That of a checkpoint; nil begins at epoch 0, step 0.
	stream, err := client.Stream(context.Background(), feedline.Loader{
		Spec:     &feedlinev1.LoaderSpec{Pipeline: &feedlinev1.Pipeline{Name: "imagenet-train"}, GlobalBatchSize: 64, Seed: 1},
		Delivery: &feedlinev1.Delivery{Dtype: feedlinev1.Dtype_DTYPE_UINT8, Start: cursor},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for batch, err := range stream.Batches() {
		if err != nil {
			log.Fatal(err)
		}
		image, err := feedline.View[uint8](batch, "image")
		if err != nil {
			log.Fatal(err)
		}
		label, err := feedline.View[int64](batch, "label")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.Header.GetEpoch(), batch.Header.GetStep(), len(image), label)
		cursor = stream.Cursor()
	}
}
