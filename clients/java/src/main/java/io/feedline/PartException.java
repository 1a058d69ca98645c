package io.feedline;

/** What is wrong with a part. */
final class PartException extends Exception {
  private static final long serialVersionUID = 1;

  /** Kinds of damage. */
  enum Kind {
    /** The checksum of a header. */
    HEADER_CHECKSUM,
    /** The checksum of a payload. */
    PAYLOAD_CHECKSUM,
    /** A header, or a whole message, that can't be read. */
    HEADER,
    /** A tensor that is misplaced or of an unknown dtype. */
    TENSOR,
    /** A part that is missing, comes twice or is too long. */
    OFFSET,
    /** A batch longer than any that was described. */
    LENGTH,
    /** A batch that begins before the one before it was whole. */
    EARLY,
    /** A batch that begins without header. */
    HEADLESS,
    /** A batch that is not the one asked for. */
    OTHER_BATCH,
  }

  private final Kind kind;

  PartException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  PartException(Kind kind, String message, Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  Kind kind() {
    return kind;
  }
}
