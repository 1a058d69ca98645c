package io.feedline;

import io.feedline.v1.DescribeRequest;
import io.feedline.v1.DescribeResponse;
import io.feedline.v1.FeedlineServiceGrpc.FeedlineServiceBlockingStub;
import io.feedline.v1.ListDatasetsRequest;
import io.feedline.v1.ListDatasetsResponse;
import io.feedline.v1.ListSamplesRequest;
import io.feedline.v1.ListSamplesResponse;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

/**
 * A client of one server. It holds nothing that must be closed: every request and every stream has
 * a connection of its own. May be used by several threads.
 *
 * <p>Failures of the transport are retried for {@link Options#retryFor()}, the first connection
 * included, and so is what the server itself says may pass. An interrupt of the thread ends every
 * call with a {@link CancellationException} and leaves the thread interrupted.
 */
public final class Client {
  /** Revision of the contract that this client was generated from. */
  static final int CONTRACT_REVISION = 1;

  private final String address;
  private final String target;
  private final Options options;

  private Client(String address, Options options) {
    this.address = address;
    this.target = Connection.target(address);
    this.options = options;
  }

  /**
   * A client with the default options. Whether anybody is there shows with the first request.
   *
   * @param address {@code HOST:PORT}, {@code http://HOST:PORT} or {@code unix:PATH} (Linux)
   * @return the client
   * @throws IllegalArgumentException if the address can't be read
   */
  public static Client of(String address) {
    return of(address, Options.defaults());
  }

  /**
   * A client. Whether anybody is there shows with the first request.
   *
   * @param address {@code HOST:PORT}, {@code http://HOST:PORT} or {@code unix:PATH} (Linux)
   * @param options how it behaves
   * @return the client
   * @throws IllegalArgumentException if the address can't be read
   */
  public static Client of(String address, Options options) {
    return new Client(address, options);
  }

  /**
   * What datasets there are.
   *
   * @return all of them, sorted by name
   * @throws FeedlineException if the server refuses or can't be reached
   */
  public ListDatasetsResponse listDatasets() {
    var request = ListDatasetsRequest.newBuilder().setContractRevision(CONTRACT_REVISION).build();
    return retried(service -> service.listDatasets(request));
  }

  /**
   * A page of the samples of a split: leads from a sample index back to a file.
   *
   * @param request which ones; its contract revision is set here
   * @return the page
   * @throws FeedlineException if the server refuses or can't be reached
   */
  public ListSamplesResponse listSamples(ListSamplesRequest request) {
    var complete = request.toBuilder().setContractRevision(CONTRACT_REVISION).build();
    return retried(service -> service.listSamples(complete));
  }

  /**
   * What a request would give; checks all of it.
   *
   * @param loader the request
   * @return tensors, steps per epoch, fingerprints, warnings
   * @throws FeedlineException if the server refuses, with its reason, or can't be reached
   */
  public DescribeResponse describe(Loader loader) {
    var request =
        DescribeRequest.newBuilder()
            .setContractRevision(CONTRACT_REVISION)
            .setSpec(loader.spec())
            .setPlacement(loader.placement())
            .setDelivery(loader.delivery())
            .build();
    return retried(service -> service.describe(request));
  }

  /**
   * Batches of a request, from its start cursor on. Describes it first, so that what can't succeed
   * fails here; from then on the stream insists on the dataset and spec that were described.
   *
   * @param loader the request
   * @return its batches; to be closed
   * @throws FeedlineException if the server refuses, with its reason, or can't be reached
   * @throws IllegalArgumentException if a batch is longer than the 2 GiB that a buffer can hold
   */
  public BatchStream stream(Loader loader) {
    DescribeResponse description = describe(loader);
    if (Long.compareUnsigned(description.getPayloadBytes(), Memory.MOST_BYTES) > 0) {
      throw new IllegalArgumentException(
          "a batch of %s bytes, expected at most %d: ask for fewer rows or a smaller dtype"
              .formatted(Long.toUnsignedString(description.getPayloadBytes()), Memory.MOST_BYTES));
    }
    return new BatchStream(this, loader, description);
  }

  String address() {
    return address;
  }

  Options options() {
    return options;
  }

  Connection connect() {
    return new Connection(target);
  }

  private <R> R retried(Function<FeedlineServiceBlockingStub, R> call) {
    Retry retry = new Retry(address, options.retryFor(), new CountDownLatch(1));
    while (true) {
      try (Connection connection = connect()) {
        return call.apply(connection.service());
      } catch (StatusRuntimeException failure) {
        retry.await(failure);
      }
    }
  }
}
