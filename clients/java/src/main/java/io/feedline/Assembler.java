package io.feedline;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.feedline.PartException.Kind;
import io.feedline.v1.BatchHeader;
import io.feedline.v1.BatchPart;
import io.feedline.v1.Tensor;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Puts batches together from their parts, and checks each. After an error it is of no use any more.
 */
final class Assembler {
  private final long mostBytes;
  private final Memory memory;
  private final CRC32C crc = new CRC32C();

  /** The batch that is not whole yet, and how many bytes of it are there. */
  private Batch partial;

  private int filled;

  /** For batches of at most {@code mostBytes} bytes, as described. */
  Assembler(long mostBytes, Memory memory) {
    this.mostBytes = mostBytes;
    this.memory = memory;
  }

  /** Takes the next part; returns the batch that it completes. */
  Optional<Batch> push(BatchPart part) throws PartException {
    if (!part.getHeader().isEmpty()) {
      begin(part);
    }
    if (partial == null) {
      throw new PartException(Kind.HEADLESS, "a batch that begins without header");
    }
    ByteString data = part.getData();
    var payload = partial.memory();
    if (part.getOffset() != filled || data.size() > payload.limit() - filled) {
      throw new PartException(
          Kind.OFFSET,
          "a part of %d bytes at %s, expected one at %d of %d"
              .formatted(
                  data.size(), Long.toUnsignedString(part.getOffset()), filled, payload.limit()));
    }
    // Summed up part by part, while the bytes are still in the cache.
    var place = payload.slice(filled, data.size());
    data.copyTo(place);
    crc.update(place.flip());
    filled += data.size();
    if (filled < payload.limit()) {
      return Optional.empty();
    }
    BatchHeader header = partial.header();
    check(Kind.PAYLOAD_CHECKSUM, "payload", (int) crc.getValue(), header.getPayloadCrc32C());
    Batch whole = partial;
    partial = null;
    return Optional.of(whole);
  }

  private void begin(BatchPart part) throws PartException {
    if (partial != null) {
      throw new PartException(Kind.EARLY, "a batch that begins before the one before it was whole");
    }
    crc.reset();
    crc.update(part.getHeader().toByteArray());
    check(Kind.HEADER_CHECKSUM, "header", (int) crc.getValue(), part.getHeaderCrc32C());
    BatchHeader header;
    try {
      header = BatchHeader.parseFrom(part.getHeader());
    } catch (InvalidProtocolBufferException e) {
      throw new PartException(Kind.HEADER, "a header that is no BatchHeader: " + e.getMessage(), e);
    }
    checkTensors(header);
    if (Long.compareUnsigned(header.getPayloadBytes(), mostBytes) > 0) {
      throw new PartException(
          Kind.LENGTH,
          "a payload of %s bytes, at most %d were described"
              .formatted(Long.toUnsignedString(header.getPayloadBytes()), mostBytes));
    }
    partial = new Batch(header, part.getTimings(), memory);
    filled = 0;
    crc.reset();
  }

  /** Every tensor lies where the contract says, inside the payload and none across another. */
  private static void checkTensors(BatchHeader header) throws PartException {
    long end = 0;
    for (Tensor tensor : header.getTensorsList()) {
      int size = TensorView.size(tensor.getDtype());
      if (size == 0) {
        throw new PartException(
            Kind.TENSOR,
            "tensor \"%s\" has the unknown dtype %d"
                .formatted(tensor.getName(), tensor.getDtypeValue()));
      }
      long offset = tensor.getOffset();
      long bytes = tensor.getBytes();
      boolean aligned = offset >= end && offset % Memory.ALIGNMENT == 0;
      // Lengths of 63 bits and more look negative.
      boolean fits = bytes >= 0 && offset <= header.getPayloadBytes() - bytes;
      if (!aligned || !fits || bytes != length(tensor, size)) {
        throw new PartException(
            Kind.TENSOR,
            "tensor \"%s\" of shape %s has %s bytes at %s of a payload of %s"
                .formatted(
                    tensor.getName(),
                    tensor.getShapeList(),
                    Long.toUnsignedString(bytes),
                    Long.toUnsignedString(offset),
                    Long.toUnsignedString(header.getPayloadBytes())));
      }
      end = offset + bytes;
    }
  }

  /** Bytes of a tensor by its shape; -1 if they are beyond 63 bits. */
  private static long length(Tensor tensor, int size) {
    try {
      long length = size;
      for (long side : tensor.getShapeList()) {
        length = side < 0 ? -1 : Math.multiplyExact(length, side);
      }
      return length;
    } catch (ArithmeticException e) {
      return -1;
    }
  }

  private static void check(Kind kind, String what, int found, int expected) throws PartException {
    if (found != expected) {
      throw new PartException(
          kind, "CRC32C of the %s is %08x, expected %08x".formatted(what, found, expected));
    }
  }
}
