package io.feedline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.feedline.v1.BatchHeader;
import io.feedline.v1.Dtype;
import io.feedline.v1.Tensor;
import io.feedline.v1.Timings;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Small cases without a server. */
class TensorTest {
  @Test
  void halfFloatsAreExact() {
    assertEquals(1f, HalfFloats.fromFp16((short) 0x3c00));
    assertEquals(-2f, HalfFloats.fromFp16((short) 0xc000));
    assertEquals(65504f, HalfFloats.fromFp16((short) 0x7bff));
    assertEquals(0x1p-24f, HalfFloats.fromFp16((short) 0x0001), "the smallest");
    assertEquals(-0f, HalfFloats.fromFp16((short) 0x8000));
    assertEquals(Float.NEGATIVE_INFINITY, HalfFloats.fromFp16((short) 0xfc00));
    assertTrue(Float.isNaN(HalfFloats.fromFp16((short) 0x7e00)));
    assertEquals(-1.5f, HalfFloats.fromBf16((short) 0xbfc0));
  }

  @Test
  void everySampleGetsTheMeanOfItsViews() {
    float[] predictions = {1, 10, 3, 20, 5, 0, 7, 2};
    assertArrayEquals(new float[] {2, 15, 6, 1}, Views.mean(predictions, 2, 2));
    assertArrayEquals(predictions, Views.mean(predictions, 0, 2));
    assertEquals(0, Views.mean(new float[0], 4, 3).length);
    var error = assertThrows(IllegalArgumentException.class, () -> Views.mean(new float[9], 2, 3));
    assertTrue(error.getMessage().contains("9 numbers"), error.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Views.mean(new float[1], 2, 0));
  }

  @Test
  void memoryOfAClosedBatchServesTheNextOne() {
    Memory memory = new Memory();
    Tensor sample =
        Tensor.newBuilder().setName("sample").setDtype(Dtype.DTYPE_INT64).setBytes(16).build();
    BatchHeader header = BatchHeader.newBuilder().addTensors(sample).setPayloadBytes(64).build();
    Batch first = new Batch(header, Timings.getDefaultInstance(), memory);
    ByteBuffer buffer = first.memory();
    assertEquals(0, buffer.alignmentOffset(0, 64));
    buffer.put(0, (byte) 5).put(8, (byte) 0).put(9, (byte) 1);
    assertArrayEquals(new long[] {5, 256}, first.samples(), "little-endian");
    assertThrows(NoSuchElementException.class, () -> first.tensor("image"));
    assertThrows(IllegalStateException.class, () -> first.tensor("sample").floats());
    first.close();
    first.close();
    assertThrows(IllegalStateException.class, first::payload);
    assertSame(buffer, memory.take(60));
    assertNotSame(buffer, memory.take(60));
    assertEquals(0, memory.take(0).remaining());
  }

  @Test
  void pausesGrowAndEndWithTheLimit() {
    CountDownLatch open = new CountDownLatch(1);
    Retry retry = new Retry("", Duration.ofHours(1), open);
    Duration first = retry.next().orElseThrow();
    Duration last = first;
    for (int tries = 0; tries < 11; tries++) {
      last = retry.next().orElseThrow();
    }
    assertTrue(first.compareTo(Retry.FIRST.multipliedBy(2)) < 0);
    assertTrue(last.compareTo(Retry.LONGEST.dividedBy(2)) >= 0);
    retry.reset();
    assertTrue(retry.next().orElseThrow().compareTo(Retry.FIRST.multipliedBy(2)) < 0);
    assertTrue(new Retry("", Duration.ZERO, open).next().isEmpty());
    assertThrows(IllegalArgumentException.class, () -> negative());
  }

  private static Options negative() {
    return Options.defaults().withRetryFor(Duration.ofSeconds(-1));
  }
}
