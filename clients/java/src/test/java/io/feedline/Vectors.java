package io.feedline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.Gson;
import com.google.protobuf.InvalidProtocolBufferException;
import io.feedline.v1.Delivery;
import io.feedline.v1.Dtype;
import io.feedline.v1.StreamRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.function.UnaryOperator;

/** What clients of every language have to find: {@code tests/data/vectors}. */
final class Vectors {
  private Vectors() {}

  /** A request and what a client gets for it. */
  record Case(String name, String request, List<Expected> batches) {
    Loader loader() throws InvalidProtocolBufferException {
      return loader(delivery -> delivery);
    }

    Loader loader(UnaryOperator<Delivery.Builder> change) throws InvalidProtocolBufferException {
      var parsed = StreamRequest.parseFrom(Base64.getDecoder().decode(request));
      var delivery = change.apply(parsed.getDelivery().toBuilder()).build();
      return new Loader(parsed.getSpec(), parsed.getPlacement(), delivery);
    }
  }

  /** Messages of a stream and what becomes of them. */
  record Parts(
      String name, long most_bytes, List<String> parts, List<Expected> batches, String error) {}

  /** A batch. */
  record Expected(
      int epoch, long step, long[] samples, List<ExpectedTensor> tensors, String sha256) {
    void check(Batch batch) {
      String name = "batch " + epoch + ":" + step;
      assertEquals(epoch, batch.header().getEpoch(), name);
      assertEquals(step, batch.header().getStep(), name);
      assertArrayEquals(samples, batch.samples(), name);
      assertEquals(tensors.size(), batch.tensors().size(), name);
      for (ExpectedTensor tensor : tensors) {
        tensor.check(batch.tensor(tensor.name));
      }
      assertEquals(sha256, hash(batch), name);
    }
  }

  /** A tensor with its first numbers, at most four. */
  record ExpectedTensor(String name, String dtype, List<Long> shape, double[] first) {
    void check(TensorView tensor) {
      assertEquals("DTYPE_" + dtype, tensor.dtype().name(), name);
      assertEquals(shape, tensor.shape(), name);
      assertEquals(0, tensor.bytes().alignmentOffset(0, 64), "the address of " + name);
      assertArrayEquals(first, Arrays.copyOf(numbers(tensor), first.length), name);
    }
  }

  static List<Case> batches() {
    return List.of(read("batches.json", Case[].class));
  }

  static List<Parts> parts() {
    return List.of(read("parts.json", Parts[].class));
  }

  /** The case whose name begins so. */
  static Case named(String name) {
    return batches().stream().filter(one -> one.name().startsWith(name)).findFirst().orElseThrow();
  }

  /** SHA-256 of the payload, in hex. */
  static String hash(Batch batch) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(batch.payload());
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static double[] numbers(TensorView tensor) {
    if (tensor.dtype() == Dtype.DTYPE_INT64) {
      long[] numbers = new long[tensor.longs().remaining()];
      tensor.longs().get(numbers);
      return Arrays.stream(numbers).asDoubleStream().toArray();
    }
    float[] floats = tensor.toFloats();
    double[] numbers = new double[floats.length];
    for (int at = 0; at < floats.length; at++) {
      numbers[at] = floats[at];
    }
    return numbers;
  }

  private static <T> T read(String file, Class<T> type) {
    try {
      var path = Server.ROOT.resolve("tests/data/vectors").resolve(file);
      return new Gson().fromJson(Files.readString(path), type);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
