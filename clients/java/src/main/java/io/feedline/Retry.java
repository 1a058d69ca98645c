package io.feedline;

import io.feedline.FeedlineException.Refused;
import io.feedline.FeedlineException.Unreachable;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Growing pauses between tries, until nothing has arrived for too long. */
final class Retry {
  static final Duration FIRST = Duration.ofMillis(50);
  static final Duration LONGEST = Duration.ofSeconds(5);

  /** Marks a status that the server chose; its value says whether the same request may succeed. */
  static final Metadata.Key<String> CHOSEN =
      Metadata.Key.of("feedline-status", Metadata.ASCII_STRING_MARSHALLER);

  /** Codes under which a transport reports a lost peer, or something between us that is full. */
  private static final Set<Status.Code> TRANSPORT =
      Set.of(
          Status.Code.UNAVAILABLE,
          Status.Code.RESOURCE_EXHAUSTED,
          Status.Code.CANCELLED,
          Status.Code.INTERNAL,
          Status.Code.UNKNOWN);

  private final String address;
  private final long limit;
  private final CountDownLatch closed;
  private long since;
  private long pause;

  /** Tries to reach {@code address} for {@code limit}, or until {@code closed} is counted down. */
  Retry(String address, Duration limit, CountDownLatch closed) {
    this.address = address;
    // In nanoseconds: 292 years at most.
    this.limit = TimeUnit.NANOSECONDS.convert(limit);
    this.closed = closed;
    reset();
  }

  /** Something arrived, or nobody waited: the next failure starts from the shortest pause. */
  void reset() {
    since = System.nanoTime();
    pause = FIRST.toNanos();
  }

  /** Waits before the next try, or says why there is none. */
  void await(StatusRuntimeException failure) {
    throwIfStopped(failure);
    String chosen = chosen(failure);
    Status status = failure.getStatus();
    boolean passes = chosen == null ? TRANSPORT.contains(status.getCode()) : chosen.equals("retry");
    if (!passes) {
      throw new Refused(status, failure);
    }
    if (pauses()) {
      return;
    }
    // What the server itself says is worth more than that it was tried again and again.
    if (chosen != null) {
      throw new Refused(status, failure);
    }
    Duration waited = Duration.ofNanos(System.nanoTime() - since);
    throw new Unreachable(address, waited, described(failure), failure);
  }

  /** Waits before the next try; returns false if the limit would be passed. */
  boolean pauses() {
    Optional<Duration> next = next();
    try {
      if (next.isPresent() && closed.await(next.get().toNanos(), TimeUnit.NANOSECONDS)) {
        throw new CancellationException("the stream was closed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throwIfStopped(e);
    }
    return next.isPresent();
  }

  /**
   * The next pause; none if the limit is passed. Pauses double up to five seconds, and vary by
   * half, so that the clients of a restarted server do not all come at once.
   */
  Optional<Duration> next() {
    long left = limit - (System.nanoTime() - since);
    if (left <= 0) {
      return Optional.empty();
    }
    long varied = (long) (pause * ThreadLocalRandom.current().nextDouble(0.5, 1.5));
    pause = Math.min(2 * pause, LONGEST.toNanos());
    return Optional.of(Duration.ofNanos(Math.min(varied, left)));
  }

  /** What the caller ended itself is no failure to try again. */
  private void throwIfStopped(Exception cause) {
    boolean interrupted = Thread.currentThread().isInterrupted();
    if (interrupted || closed.getCount() == 0) {
      var stopped =
          new CancellationException(
              interrupted ? "the thread was interrupted" : "the stream was closed");
      stopped.initCause(cause);
      throw stopped;
    }
  }

  private static String chosen(StatusRuntimeException failure) {
    Metadata trailers = failure.getTrailers();
    return trailers == null ? null : trailers.get(CHOSEN);
  }

  /** The message of a status and of what caused it. */
  private static String described(StatusRuntimeException failure) {
    StringBuilder text = new StringBuilder(failure.getMessage());
    for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      if (text.indexOf(message) < 0) {
        text.append(": ").append(message);
      }
    }
    return text.toString();
  }
}
