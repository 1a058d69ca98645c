package io.feedline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.feedline.FeedlineException.Broken;
import io.feedline.FeedlineException.Refused;
import io.feedline.v1.BatchHeader;
import io.feedline.v1.BatchPart;
import io.feedline.v1.Cursor;
import io.feedline.v1.Delivery;
import io.feedline.v1.DescribeRequest;
import io.feedline.v1.DescribeResponse;
import io.feedline.v1.FeedlineServiceGrpc.FeedlineServiceImplBase;
import io.feedline.v1.LoaderSpec;
import io.feedline.v1.StreamRequest;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Promise: what a sound server never sends is found, and retried only when that can help. */
@Timeout(120)
class FakeServerTest extends FeedlineServiceImplBase {
  private static final int STEPS = 3;

  /** Requests of streams so far. */
  private final List<StreamRequest> requests = new CopyOnWriteArrayList<>();

  /** What a stream does: the number of the request, from 0, and where to write. */
  private BiConsumer<Integer, StreamObserver<BatchPart>> behaviour;

  /** Whether parts are replaced by what is no message. */
  private volatile boolean garbage;

  private Server server;

  @AfterEach
  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }

  @Test
  void aStreamThatEndsEarlyIsContinuedWithTheCountThatIsLeft() throws IOException {
    behaviour = (request, parts) -> answer(request, parts, 2);
    try (BatchStream stream = stream(5)) {
      for (int batch = 0; batch < 5; batch++) {
        assertEquals(batch % STEPS, stream.next().header().getStep());
      }
      assertFalse(stream.hasNext());
      assertEquals(2, stream.reconnects());
    }
    assertEquals(
        List.of(5L, 3L, 1L), requests.stream().map(r -> r.getDelivery().getCount()).toList());
    assertEquals("fd", requests.get(0).getDelivery().getStart().getDatasetFingerprint());
    assertEquals("f5", requests.get(0).getDelivery().getStart().getSpecFingerprint());
    assertEquals(1, requests.get(0).getContractRevision());
  }

  @Test
  void aDamagedPartIsAskedForAgain() throws IOException {
    behaviour =
        (request, parts) -> {
          if (request == 0) {
            parts.onNext(BatchPart.newBuilder().setOffset(7).build());
          }
          answer(request, parts, 9);
        };
    try (BatchStream stream = stream(2)) {
      assertEquals(0, stream.next().header().getStep());
      assertEquals(1, stream.next().header().getStep());
      assertEquals(1, stream.reconnects());
    }
  }

  @Test
  void aServerThatBreaksTheContractAgainAndAgainIsGivenUp() throws IOException {
    behaviour = (request, parts) -> parts.onNext(part(2));
    try (BatchStream stream = stream(2)) {
      var broken = assertThrows(Broken.class, stream::next);
      assertTrue(broken.getMessage().contains("batch 0:2 came, expected 0:0"), broken.getMessage());
    }
    assertEquals(5, requests.size());
  }

  @Test
  void aMessageThatCanNotBeDecodedIsDamageToo() throws IOException {
    behaviour = (request, parts) -> answer(request, parts, 9);
    garbage = true;
    try (BatchStream stream = stream(2)) {
      assertThrows(Broken.class, stream::next);
      assertEquals(5, requests.size());
      garbage = false;
      assertEquals(0, stream.next().header().getStep(), "it may be asked again");
    }
  }

  @Test
  void aStatusThatTheServerChoseIsRetriedOnlyIfItSaysSo() throws IOException {
    behaviour =
        (request, parts) -> {
          if (request < 2) {
            parts.onError(chosen(Status.DATA_LOSS, request == 0 ? "retry" : "final"));
          } else {
            answer(request, parts, 9);
          }
        };
    try (BatchStream stream = stream(1)) {
      var refused = assertThrows(Refused.class, stream::next);
      assertEquals(Status.Code.DATA_LOSS, refused.code());
      assertEquals("because", refused.reason());
      assertEquals(0, stream.next().header().getStep(), "it may be asked again");
    }
    behaviour = (request, parts) -> parts.onError(Status.UNIMPLEMENTED.asRuntimeException());
    try (BatchStream stream = client().stream(loader(1))) {
      assertThrows(Refused.class, stream::next, "a server of another kind");
    }
  }

  @Test
  void whatTheServerSaidIsTheReasonWhenTheTimeIsOver() throws IOException {
    behaviour = (request, parts) -> parts.onError(chosen(Status.RESOURCE_EXHAUSTED, "retry"));
    try (BatchStream stream = stream(1)) {
      var refused = assertThrows(Refused.class, stream::next);
      assertEquals("because", refused.reason());
    }
    assertTrue(requests.size() > 1, "it was not tried again");
  }

  @Override
  public void describe(DescribeRequest request, StreamObserver<DescribeResponse> answer) {
    var spec = LoaderSpec.newBuilder().setDatasetFingerprint("fd");
    answer.onNext(
        DescribeResponse.newBuilder()
            .setSpec(spec)
            .setSpecFingerprint("f5")
            .setStepsPerEpoch(STEPS)
            .setPayloadBytes(4)
            .build());
    answer.onCompleted();
  }

  @Override
  public void stream(StreamRequest request, StreamObserver<BatchPart> parts) {
    requests.add(request);
    behaviour.accept(requests.size() - 1, parts);
  }

  /** Sends what was asked for, but not more than {@code most} batches, and ends well. */
  private void answer(int request, StreamObserver<BatchPart> parts, long most) {
    Delivery delivery = requests.get(request).getDelivery();
    long step = delivery.getStart().getEpoch() * STEPS + delivery.getStart().getStep();
    for (long batch = 0; batch < Math.min(most, delivery.getCount()); batch++) {
      parts.onNext(part(step + batch));
    }
    parts.onCompleted();
  }

  /** A batch of four bytes. Its cursor is the end of its epoch, where that is the start of one. */
  private static BatchPart part(long step) {
    byte[] data = {1, 2, 3, (byte) step};
    Cursor next =
        Cursor.newBuilder()
            .setEpoch((int) (step / STEPS))
            .setStep(step % STEPS + 1)
            .setDatasetFingerprint("fd")
            .setSpecFingerprint("f5")
            .build();
    ByteString header =
        BatchHeader.newBuilder()
            .setEpoch((int) (step / STEPS))
            .setStep(step % STEPS)
            .setNext(next)
            .setPayloadBytes(data.length)
            .setPayloadCrc32C(crc(data))
            .build()
            .toByteString();
    return BatchPart.newBuilder()
        .setHeader(header)
        .setHeaderCrc32C(crc(header.toByteArray()))
        .setData(ByteString.copyFrom(data))
        .build();
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static RuntimeException chosen(Status status, String value) {
    Metadata trailers = new Metadata();
    trailers.put(Retry.CHOSEN, value);
    return status.withDescription("because").asRuntimeException(trailers);
  }

  private static Loader loader(long count) {
    var delivery = Delivery.newBuilder().setCount(count).build();
    return new Loader(LoaderSpec.getDefaultInstance(), delivery);
  }

  private BatchStream stream(long count) throws IOException {
    var anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    var service =
        ServerInterceptors.intercept(
            ServerInterceptors.useInputStreamMessages(bindService()), this::spoil);
    server = NettyServerBuilder.forAddress(anyPort).addService(service).build().start();
    return client().stream(loader(count));
  }

  private <Q, A> ServerCall.Listener<Q> spoil(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    boolean isStream = !call.getMethodDescriptor().getType().serverSendsOneMessage();
    var spoilt =
        new SimpleForwardingServerCall<Q, A>(call) {
          @Override
          @SuppressWarnings("unchecked")
          public void sendMessage(A message) {
            InputStream bytes = new ByteArrayInputStream(new byte[] {-1, -1, -1});
            super.sendMessage(isStream && garbage ? (A) bytes : message);
          }
        };
    return next.startCall(spoilt, headers);
  }

  private Client client() {
    Options options = Options.defaults().withRetryFor(Duration.ofSeconds(1));
    return Client.of("127.0.0.1:" + server.getPort(), options);
  }
}
