package io.feedline;

import io.feedline.v1.Dtype;
import io.feedline.v1.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import java.util.List;

/**
 * A tensor of a batch: dense, row-major, little-endian, and no copy. Its buffers are direct,
 * read-only and begin at an address that is a multiple of 64 bytes.
 */
public final class TensorView {
  private final Tensor tensor;
  private final ByteBuffer bytes;

  TensorView(Tensor tensor, ByteBuffer payload) {
    this.tensor = tensor;
    this.bytes = payload.slice((int) tensor.getOffset(), (int) tensor.getBytes());
  }

  /**
   * Its name.
   *
   * @return {@code image}, {@code label} or another name of the contract
   */
  public String name() {
    return tensor.getName();
  }

  /**
   * The type of its numbers.
   *
   * @return one of the contract's dtypes
   */
  public Dtype dtype() {
    return tensor.getDtype();
  }

  /**
   * Its shape.
   *
   * @return the length of each axis, rows first; a batch of a short epoch may have 0 rows
   */
  public List<Long> shape() {
    return tensor.getShapeList();
  }

  /**
   * Views of every sample: row {@code r} is view {@code r % views} of sample {@code r / views}.
   *
   * @return their number; 0: one row per sample
   */
  public int views() {
    return tensor.getViews();
  }

  /**
   * Its bytes.
   *
   * @return a view in little-endian order
   */
  public ByteBuffer bytes() {
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The numbers of an FP32 tensor.
   *
   * @return a view
   * @throws IllegalStateException if the dtype is another
   */
  public FloatBuffer floats() {
    require(dtype() == Dtype.DTYPE_FP32, "FP32");
    return bytes().asFloatBuffer();
  }

  /**
   * The numbers of an INT64 tensor.
   *
   * @return a view
   * @throws IllegalStateException if the dtype is another
   */
  public LongBuffer longs() {
    require(dtype() == Dtype.DTYPE_INT64, "INT64");
    return bytes().asLongBuffer();
  }

  /**
   * The bits of an FP16 or BF16 tensor, to be read by {@link HalfFloats}.
   *
   * @return a view
   * @throws IllegalStateException if the dtype is another
   */
  public ShortBuffer halves() {
    require(dtype() == Dtype.DTYPE_FP16 || dtype() == Dtype.DTYPE_BF16, "FP16 or BF16");
    return bytes().asShortBuffer();
  }

  /**
   * A copy of the numbers of a tensor of any dtype but INT64; all of them are exact. UINT8 gives 0
   * to 255.
   *
   * @return the numbers, row-major
   * @throws IllegalStateException if the dtype is INT64
   */
  public float[] toFloats() {
    require(dtype() != Dtype.DTYPE_INT64, "UINT8, FP16, BF16 or FP32");
    ByteBuffer source = bytes();
    float[] numbers = new float[source.capacity() / size(dtype())];
    switch (dtype()) {
      case DTYPE_UINT8 -> {
        for (int at = 0; at < numbers.length; at++) {
          numbers[at] = Byte.toUnsignedInt(source.get(at));
        }
      }
      case DTYPE_FP16 -> {
        for (int at = 0; at < numbers.length; at++) {
          numbers[at] = HalfFloats.fromFp16(source.getShort(2 * at));
        }
      }
      case DTYPE_BF16 -> {
        for (int at = 0; at < numbers.length; at++) {
          numbers[at] = HalfFloats.fromBf16(source.getShort(2 * at));
        }
      }
      default -> source.asFloatBuffer().get(numbers);
    }
    return numbers;
  }

  @Override
  public String toString() {
    return name() + " " + dtype().name().substring("DTYPE_".length()) + " " + shape();
  }

  /** Bytes of one number; 0 if the contract has no such dtype. */
  static int size(Dtype dtype) {
    return switch (dtype) {
      case DTYPE_UINT8 -> 1;
      case DTYPE_FP16, DTYPE_BF16 -> 2;
      case DTYPE_FP32 -> 4;
      case DTYPE_INT64 -> 8;
      case DTYPE_UNSPECIFIED, UNRECOGNIZED -> 0;
    };
  }

  private void require(boolean holds, String expected) {
    if (!holds) {
      throw new IllegalStateException(this + " is not of dtype " + expected);
    }
  }
}
