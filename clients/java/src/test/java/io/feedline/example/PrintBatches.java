package io.feedline.example;

import io.feedline.Batch;
import io.feedline.BatchStream;
import io.feedline.Client;
import io.feedline.Loader;
import io.feedline.v1.Delivery;
import io.feedline.v1.Dtype;
import io.feedline.v1.LoaderSpec;
import io.feedline.v1.Pipeline;
import java.nio.LongBuffer;
import java.util.Arrays;

/** Prints shapes and labels of some batches: {@code PrintBatches HOST:PORT [BATCHES]}. */
public final class PrintBatches {
  private PrintBatches() {}

  public static void main(String[] arguments) {
    String address = arguments.length > 0 ? arguments[0] : "127.0.0.1:50051";
    long count = arguments.length > 1 ? Long.parseLong(arguments[1]) : 3;
    var pipeline = Pipeline.newBuilder().setName("imagenet-train");
    var spec = LoaderSpec.newBuilder().setPipeline(pipeline).setGlobalBatchSize(8).setSeed(1);
    var delivery = Delivery.newBuilder().setDtype(Dtype.DTYPE_UINT8).setCount(count);
    Loader loader = new Loader(spec.build(), delivery.build());
    try (BatchStream stream = Client.of(address).stream(loader)) {
      System.out.println("steps per epoch: " + stream.description().getStepsPerEpoch());
      while (stream.hasNext()) {
        try (Batch batch = stream.next()) {
          LongBuffer labels = batch.tensor("label").longs();
          long[] copy = new long[labels.remaining()];
          labels.get(copy);
          System.out.println(
              batch.header().getEpoch()
                  + ":"
                  + batch.header().getStep()
                  + " "
                  + batch.tensors()
                  + " labels "
                  + Arrays.toString(copy));
        }
      }
    }
  }
}
