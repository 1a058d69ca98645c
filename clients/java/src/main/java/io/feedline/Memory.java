package io.feedline;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/** Memory of batches that are closed, for those to come: fresh memory is zeroed and faulted in. */
final class Memory {
  /** Every buffer begins at a multiple of this many bytes, and so does every tensor. */
  static final int ALIGNMENT = 64;

  /** Longest payload: what a buffer can hold, with its alignment. */
  static final int MOST_BYTES = Integer.MAX_VALUE - 2 * ALIGNMENT;

  /** Most buffers that lie about; a client has one batch in hand and one on its way. */
  private static final int MOST_SPARE = 2;

  private final Deque<ByteBuffer> spare = new ArrayDeque<>();

  /** A direct buffer of that many bytes, of any content. */
  synchronized ByteBuffer take(int bytes) {
    for (var buffers = spare.iterator(); buffers.hasNext(); ) {
      ByteBuffer buffer = buffers.next();
      int capacity = buffer.capacity();
      if (capacity >= bytes && capacity <= (long) bytes + bytes / 4 + 4096) {
        buffers.remove();
        return buffer.limit(bytes);
      }
    }
    // The slice's end is rounded down to the alignment too.
    int rounded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return ByteBuffer.allocateDirect(rounded + ALIGNMENT).alignedSlice(ALIGNMENT).limit(bytes);
  }

  synchronized void give(ByteBuffer buffer) {
    if (spare.size() == MOST_SPARE) {
      spare.removeFirst();
    }
    spare.addLast(buffer.clear());
  }
}
