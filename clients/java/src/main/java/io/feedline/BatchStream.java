package io.feedline;

import com.google.protobuf.InvalidProtocolBufferException;
import io.feedline.FeedlineException.Broken;
import io.feedline.PartException.Kind;
import io.feedline.v1.BatchHeader;
import io.feedline.v1.BatchPart;
import io.feedline.v1.ClientInfo;
import io.feedline.v1.Cursor;
import io.feedline.v1.Delivery;
import io.feedline.v1.DescribeResponse;
import io.feedline.v1.StreamRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;

/**
 * Batches in plan order, each exactly once. A lost connection, a restarted server and a damaged
 * message cost time, never a batch: the stream goes on with the next one.
 *
 * <p>For one thread; only {@link #close()} may be called from another, and ends a {@link #next()}
 * that waits. What is read ahead is bounded by the window of HTTP/2, 4 MiB, and a few parts.
 */
public final class BatchStream implements Iterator<Batch>, AutoCloseable {
  /** Messages in a row that may break the contract before it is not chance any more. */
  private static final int MOST_BROKEN = 5;

  private final Client client;
  private final Loader loader;
  private final DescribeResponse description;
  private final Memory memory = new Memory();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Retry retry;

  /** What to ask for next. */
  private Cursor next;

  /** Batches that are still to come; -1: without end. */
  private long left;

  /** All three are there while the server sends. */
  private Connection connection;

  private Iterator<BatchPart> parts;
  private Assembler assembler;

  /** Messages in a row that broke the contract. */
  private int broken;

  private long reconnects;

  BatchStream(Client client, Loader loader, DescribeResponse description) {
    this.client = client;
    this.loader = loader;
    this.description = description;
    this.retry = new Retry(client.address(), client.options().retryFor(), closed);
    Delivery delivery = loader.delivery();
    next =
        delivery.getStart().toBuilder()
            .setDatasetFingerprint(description.getSpec().getDatasetFingerprint())
            .setSpecFingerprint(description.getSpecFingerprint())
            .build();
    left = delivery.hasCount() ? delivery.getCount() : -1;
  }

  /**
   * What the server said of the stream.
   *
   * @return tensors, steps per epoch, fingerprints, warnings
   */
  public DescribeResponse description() {
    return description;
  }

  /**
   * Where a client goes on that has every batch that was handed out up to now: what to save in a
   * checkpoint. {@link Loader#from} begins there.
   *
   * @return epoch, step and fingerprints
   */
  public Cursor cursor() {
    return next;
  }

  /**
   * How often the stream was begun again.
   *
   * @return reconnects so far
   */
  public long reconnects() {
    return reconnects;
  }

  /** Whether there is another batch: no, after {@code count} of them or when closed. No waiting. */
  @Override
  public boolean hasNext() {
    return left != 0 && closed.getCount() != 0;
  }

  /**
   * The next batch. After a failure it may be asked for again.
   *
   * @return the batch that {@link #cursor()} named
   * @throws NoSuchElementException if there is none
   * @throws FeedlineException if the server refuses, or nothing arrives for too long
   * @throws CancellationException if the stream is closed meanwhile or the thread interrupted
   */
  @Override
  public Batch next() {
    if (!hasNext()) {
      throw new NoSuchElementException("no batch is left");
    }
    retry.reset();
    while (true) {
      try {
        return tryNext();
      } catch (StatusRuntimeException failure) {
        disconnect();
        if (isUndecoded(failure)) {
          awaitAfterDamage(failure);
        } else {
          retry.await(failure);
        }
      } catch (PartException damage) {
        disconnect();
        awaitAfterDamage(damage);
      }
      reconnects++;
    }
  }

  /** Ends the stream and frees its connection. Closing again does nothing. */
  @Override
  public void close() {
    closed.countDown();
    closeConnection();
  }

  private Batch tryNext() throws PartException {
    if (parts == null) {
      begin();
    }
    while (true) {
      if (!parts.hasNext()) {
        // A stream that ends before its count was cut off by something between us.
        throw Status.UNAVAILABLE.withDescription("the stream ended early").asRuntimeException();
      }
      Optional<Batch> whole = assembler.push(parts.next());
      retry.reset();
      if (whole.isPresent()) {
        Batch batch = whole.get();
        advance(batch.header());
        return batch;
      }
    }
  }

  /** Goes on behind a batch, if it is the one asked for. */
  private void advance(BatchHeader header) throws PartException {
    long step = header.getStep();
    int epoch = header.getEpoch();
    // The end of an epoch is the start of the next one.
    boolean isAfterEnd =
        next.getStep() == description.getStepsPerEpoch()
            && epoch == next.getEpoch() + 1
            && step == 0;
    if (!isAfterEnd && (epoch != next.getEpoch() || step != next.getStep())) {
      throw new PartException(
          Kind.OTHER_BATCH,
          "batch %d:%d came, expected %d:%d"
              .formatted(epoch, step, next.getEpoch(), next.getStep()));
    }
    broken = 0;
    if (header.hasNext()) {
      next = header.getNext();
      left = left < 0 ? left : left - 1;
    } else {
      left = 0;
    }
  }

  private void begin() {
    Delivery.Builder delivery = loader.delivery().toBuilder().setStart(next);
    if (left >= 0) {
      delivery.setCount(left);
    }
    var request =
        StreamRequest.newBuilder()
            .setContractRevision(Client.CONTRACT_REVISION)
            .setSpec(loader.spec())
            .setPlacement(loader.placement())
            .setDelivery(delivery)
            .setClient(
                ClientInfo.newBuilder()
                    .setName(client.options().name())
                    .setJob(client.options().job()))
            .build();
    parts = connect().service().stream(request);
    assembler = new Assembler(description.getPayloadBytes(), memory);
  }

  private synchronized Connection connect() {
    if (closed.getCount() == 0) {
      throw new CancellationException("the stream was closed");
    }
    connection = client.connect();
    return connection;
  }

  private void disconnect() {
    parts = null;
    closeConnection();
  }

  private synchronized void closeConnection() {
    if (connection != null) {
      connection.close();
      connection = null;
    }
  }

  private void awaitAfterDamage(Exception damage) {
    broken++;
    if (broken >= MOST_BROKEN || !retry.pauses()) {
      broken = 0;
      throw new Broken(client.address(), damage);
    }
  }

  /** Whether a message could not be decoded: a status too, but one that was made on this side. */
  private static boolean isUndecoded(StatusRuntimeException failure) {
    Throwable cause = failure;
    while (cause != null && !(cause instanceof InvalidProtocolBufferException)) {
      cause = cause.getCause();
    }
    return cause != null;
  }
}
