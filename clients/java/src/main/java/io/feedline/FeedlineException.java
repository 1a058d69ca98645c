package io.feedline;

import io.grpc.Status;
import java.time.Duration;

/** Why a client failed. */
public abstract sealed class FeedlineException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private FeedlineException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The server refused, for a reason that trying again does not change. */
  public static final class Refused extends FeedlineException {
    private static final long serialVersionUID = 1;

    /** The server's code. */
    private final Status.Code code;

    /** The server's reason. */
    private final String reason;

    Refused(Status status, Throwable cause) {
      super("the server refused with " + status.getCode() + ": " + status.getDescription(), cause);
      code = status.getCode();
      reason = String.valueOf(status.getDescription());
    }

    /**
     * The server's code.
     *
     * @return the code, as the contract lists them in {@code service.proto}
     */
    public Status.Code code() {
      return code;
    }

    /**
     * The server's reason.
     *
     * @return what was found and what was expected
     */
    public String reason() {
      return reason;
    }
  }

  /** The transport failed for longer than {@link Options#retryFor()}. The call can be repeated. */
  public static final class Unreachable extends FeedlineException {
    private static final long serialVersionUID = 1;

    /** The server. */
    private final String address;

    /** How long it was tried. */
    private final Duration waited;

    Unreachable(String address, Duration waited, String last, Throwable cause) {
      super("no answer from " + address + " for " + waited.toMillis() + " ms: " + last, cause);
      this.address = address;
      this.waited = waited;
    }

    /**
     * The server's address.
     *
     * @return what the client was opened with
     */
    public String address() {
      return address;
    }

    /**
     * How long it was tried.
     *
     * @return the time since something arrived, or since the call
     */
    public Duration waited() {
      return waited;
    }
  }

  /** What arrived breaks the contract, again and again. */
  public static final class Broken extends FeedlineException {
    private static final long serialVersionUID = 1;

    /** The server. */
    private final String address;

    Broken(String address, Throwable cause) {
      super("the server at " + address + " breaks the contract: " + cause.getMessage(), cause);
      this.address = address;
    }

    /**
     * The server's address.
     *
     * @return what the client was opened with
     */
    public String address() {
      return address;
    }
  }
}
