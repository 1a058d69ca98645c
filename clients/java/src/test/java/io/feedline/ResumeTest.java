package io.feedline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.feedline.FeedlineException.Refused;
import io.feedline.FeedlineException.Unreachable;
import io.feedline.v1.Cursor;
import io.feedline.v1.Delivery;
import io.feedline.v1.LoaderSpec;
import io.feedline.v1.Pipeline;
import io.grpc.Status;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Promise: none is lost and none comes twice, whatever happens to the server or the client. */
@Timeout(120)
class ResumeTest {
  /** An epoch of three batches of 92 KB. */
  private static final Vectors.Case EPOCH = Vectors.named("an epoch of FP32");

  @Test
  void aServerThatIsKilledAndStartedAgainCostsNoBatch() throws IOException {
    // Far more than fits into the buffers on the way, so that the stream is cut in its middle.
    Loader loader = EPOCH.loader(delivery -> delivery.setCount(200));
    List<String> expected = new ArrayList<>();
    List<String> found = new ArrayList<>();
    try (Server mortal = Server.start()) {
      try (BatchStream whole = mortal.client().stream(loader)) {
        whole.forEachRemaining(batch -> expected.add(described(batch)));
      }
      try (BatchStream stream = mortal.client().stream(loader)) {
        EPOCH.batches().get(0).check(note(stream.next(), found));
        mortal.kill();
        try (Server again = Server.start(mortal.address())) {
          EPOCH.batches().get(1).check(note(stream.next(), found));
          EPOCH.batches().get(2).check(note(stream.next(), found));
          stream.forEachRemaining(batch -> note(batch, found));
          assertEquals(mortal.address(), again.address());
        }
        assertTrue(stream.reconnects() > 0, "the stream was not cut");
      }
    }
    assertEquals(200, expected.stream().distinct().count());
    assertEquals(expected, found);
  }

  @Test
  void aServerThatIsAwayWhenTheStreamBeginsIsWaitedFor() throws IOException {
    try (Server mortal = Server.start();
        BatchStream stream = mortal.client().stream(EPOCH.loader())) {
      mortal.kill();
      var first = CompletableFuture.supplyAsync(stream::next);
      try (Server again = Server.start(mortal.address())) {
        EPOCH.batches().get(0).check(first.join());
        EPOCH.batches().get(1).check(stream.next());
        EPOCH.batches().get(2).check(stream.next());
        assertFalse(stream.hasNext());
        assertThrows(NoSuchElementException.class, stream::next);
        assertEquals(mortal.address(), again.address());
      }
    }
  }

  @Test
  void aFreshClientGoesOnFromASavedCursor() throws IOException {
    try (Server server = Server.start()) {
      byte[] saved;
      try (BatchStream stream = server.client().stream(EPOCH.loader())) {
        stream.next();
        saved = stream.cursor().toByteArray();
      }
      Loader rest = EPOCH.loader(delivery -> delivery.setCount(2)).from(Cursor.parseFrom(saved));
      try (BatchStream stream = server.client().stream(rest)) {
        EPOCH.batches().get(1).check(stream.next());
        EPOCH.batches().get(2).check(stream.next());
        assertEquals(3, stream.cursor().getEpoch() * 3 + stream.cursor().getStep());
      }
      Cursor foreign = Cursor.newBuilder().setSpecFingerprint("0".repeat(32)).build();
      Loader wrong = EPOCH.loader().from(foreign);
      var refused = assertThrows(Refused.class, () -> server.client().stream(wrong));
      assertEquals(Status.Code.FAILED_PRECONDITION, refused.code());
    }
  }

  @Test
  void aRefusalIsRaisedAtOnceWithTheReason() throws IOException {
    try (Server server = Server.start()) {
      Client client = server.client();
      Loader none = new Loader(LoaderSpec.getDefaultInstance(), Delivery.getDefaultInstance());
      var refused = assertThrows(Refused.class, () -> client.stream(none));
      assertEquals(Status.Code.INVALID_ARGUMENT, refused.code());
      assertTrue(refused.reason().contains("global_batch_size"), refused.reason());

      var unknown = Pipeline.newBuilder().setName("imagenet-trian");
      var spec = LoaderSpec.newBuilder().setGlobalBatchSize(8).setPipeline(unknown).build();
      Loader misspelt = new Loader(spec, Delivery.getDefaultInstance());
      refused = assertThrows(Refused.class, () -> client.describe(misspelt));
      assertEquals(Status.Code.NOT_FOUND, refused.code());
      assertTrue(refused.getMessage().contains("imagenet-trian"), refused.getMessage());
    }
  }

  @Test
  void anAddressWithoutServerFailsWhenItsTimeIsOver() throws IOException {
    String address;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      address = "127.0.0.1:" + socket.getLocalPort();
    }
    Duration limit = Duration.ofMillis(300);
    Client client = Client.of(address, Options.defaults().withRetryFor(limit));
    var unreachable = assertThrows(Unreachable.class, client::listDatasets);
    assertEquals(address, unreachable.address());
    assertTrue(unreachable.waited().compareTo(limit) >= 0, unreachable.getMessage());
    assertTrue(unreachable.getMessage().contains("no answer from " + address + " for "));
    assertTrue(unreachable.getMessage().contains("refused"), unreachable.getMessage());
    for (String bad : List.of("", "127.0.0.1", "host:port", "unix:", "ftp://host:1")) {
      assertThrows(IllegalArgumentException.class, () -> Client.of(bad));
    }
  }

  @Test
  void closingFromAnotherThreadEndsTheWait() throws Exception {
    try (Server mortal = Server.start()) {
      BatchStream stream = mortal.client().stream(EPOCH.loader());
      mortal.kill();
      var waiting = CompletableFuture.supplyAsync(stream::next);
      stream.close();
      var ended = assertThrows(ExecutionException.class, waiting::get).getCause();
      // Closed before it began to wait: there is no next batch.
      assertTrue(ended instanceof CancellationException || ended instanceof NoSuchElementException);
      assertFalse(stream.hasNext());
    }
  }

  @Test
  void anInterruptEndsTheWaitAndLosesNothing() throws IOException {
    try (Server server = Server.start();
        BatchStream stream = server.client().stream(EPOCH.loader())) {
      EPOCH.batches().get(0).check(stream.next());
      Thread.currentThread().interrupt();
      assertThrows(CancellationException.class, () -> stream.forEachRemaining(Batch::close));
      assertTrue(Thread.interrupted(), "the thread stays interrupted");
      EPOCH.batches().get(Math.toIntExact(stream.cursor().getStep())).check(stream.next());
    }
  }

  @Test
  void aStreamThatIsLeftAndClosedLetsTheServerStop() throws Exception {
    try (Server server = Server.start()) {
      try (BatchStream endless =
          server.client().stream(EPOCH.loader(Delivery.Builder::clearCount))) {
        EPOCH.batches().get(0).check(endless.next());
        assertTrue(endless.hasNext());
      }
      assertEquals(0, server.stop());
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aUnixSocketIsAnAddressToo(@TempDir Path folder) throws IOException {
    try (Server server = Server.start("unix:" + folder.resolve("feedline.sock"));
        BatchStream stream = server.client().stream(EPOCH.loader())) {
      EPOCH.batches().get(0).check(stream.next());
    }
  }

  private static Batch note(Batch batch, List<String> batches) {
    batches.add(described(batch));
    return batch;
  }

  private static String described(Batch batch) {
    return batch.header().getEpoch() + ":" + batch.header().getStep() + " " + Vectors.hash(batch);
  }
}
