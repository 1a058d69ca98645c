package io.feedline;

import java.time.Duration;
import java.util.Objects;

/**
 * How a client behaves.
 *
 * @param name its name in the server's log; empty: its address
 * @param job the training job, for the server to report two streams of one rank; empty: none
 * @param retryFor how long failures of the transport are retried, counted from the last time that
 *     something arrived, or from the call when that is later; zero: never
 */
public record Options(String name, String job, Duration retryFor) {
  /**
   * Options of these values.
   *
   * @param name its name in the server's log
   * @param job the training job
   * @param retryFor zero or more
   * @throws IllegalArgumentException if {@code retryFor} is negative
   */
  public Options {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(job, "job");
    if (retryFor.isNegative()) {
      throw new IllegalArgumentException("retryFor is " + retryFor + ", expected zero or more");
    }
  }

  /**
   * The defaults: no name, no job, failures are retried for 60 s.
   *
   * @return the defaults
   */
  public static Options defaults() {
    return new Options("", "", Duration.ofSeconds(60));
  }

  /**
   * These options with another name.
   *
   * @param name the client's name in the server's log
   * @return the new options
   */
  public Options withName(String name) {
    return new Options(name, job, retryFor);
  }

  /**
   * These options with another job.
   *
   * @param job the training job
   * @return the new options
   */
  public Options withJob(String job) {
    return new Options(name, job, retryFor);
  }

  /**
   * These options with another time for retries.
   *
   * @param retryFor zero or more
   * @return the new options
   */
  public Options withRetryFor(Duration retryFor) {
    return new Options(name, job, retryFor);
  }
}
