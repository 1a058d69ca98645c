package io.feedline;

import io.feedline.v1.BatchHeader;
import io.feedline.v1.Tensor;
import io.feedline.v1.Timings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * A batch as it arrived, checked.
 *
 * <p>To close it is optional: its memory then serves a later batch of the stream instead of going
 * to the garbage collector, which saves the time that fresh memory costs. Nothing that was got from
 * a closed batch may be read any more, but for header, timings and copies.
 */
public final class Batch implements AutoCloseable {
  private final BatchHeader header;
  private final Timings timings;
  private final Memory memory;
  private ByteBuffer payload;

  Batch(BatchHeader header, Timings timings, Memory memory) {
    this.header = header;
    this.timings = timings;
    this.memory = memory;
    this.payload = memory.take((int) header.getPayloadBytes());
  }

  /**
   * What it is: epoch, step, next cursor, rows, substitutions.
   *
   * @return the header
   */
  public BatchHeader header() {
    return header;
  }

  /**
   * How long the server took.
   *
   * @return times in nanoseconds, summed over threads
   */
  public Timings timings() {
    return timings;
  }

  /**
   * Its tensors back to back, padding included.
   *
   * @return a direct, read-only view in little-endian order, at an address that is a multiple of 64
   * @throws IllegalStateException if the batch is closed
   */
  public ByteBuffer payload() {
    return memory().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Its tensors.
   *
   * @return a view of each, in the order of the payload
   * @throws IllegalStateException if the batch is closed
   */
  public List<TensorView> tensors() {
    ByteBuffer bytes = memory();
    return header.getTensorsList().stream().map(tensor -> new TensorView(tensor, bytes)).toList();
  }

  /**
   * The tensor of a name.
   *
   * @param name {@code image}, {@code label} or another name that {@code Describe} gave
   * @return a view
   * @throws NoSuchElementException if there is none of that name
   * @throws IllegalStateException if the batch is closed
   */
  public TensorView tensor(String name) {
    for (Tensor tensor : header.getTensorsList()) {
      if (tensor.getName().equals(name)) {
        return new TensorView(tensor, memory());
      }
    }
    throw new NoSuchElementException("no tensor \"" + name + "\", there are " + tensors());
  }

  /**
   * The sample index of each row, whether it travelled in the header or as a tensor.
   *
   * @return a copy
   * @throws IllegalStateException if the batch is closed
   */
  public long[] samples() {
    boolean inTensor = header.getTensorsList().stream().anyMatch(t -> t.getName().equals("sample"));
    if (!inTensor) {
      return header.getSamplesList().stream().mapToLong(Long::longValue).toArray();
    }
    var samples = tensor("sample").longs();
    long[] copy = new long[samples.remaining()];
    samples.get(copy);
    return copy;
  }

  /** Gives its memory back. Closing again does nothing. */
  @Override
  public void close() {
    if (payload != null) {
      memory.give(payload);
      payload = null;
    }
  }

  /** The payload, to be written. */
  ByteBuffer memory() {
    if (payload == null) {
      throw new IllegalStateException("the batch is closed");
    }
    return payload;
  }
}
