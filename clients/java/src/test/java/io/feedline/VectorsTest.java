package io.feedline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.google.protobuf.InvalidProtocolBufferException;
import io.feedline.v1.BatchPart;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/** Promise: this client gets the same batches as those of every other language. */
@Timeout(120)
class VectorsTest {
  private static Server server;

  @BeforeAll
  static void start() throws IOException {
    server = Server.start();
  }

  @AfterAll
  static void stop() throws Exception {
    assertEquals(0, server.stop(), "a drained server ends well: no connection is left");
  }

  @TestFactory
  Stream<DynamicTest> batchesOfTheServerAreThoseOfTheVectors() {
    return Vectors.batches().stream().map(one -> dynamicTest(one.name(), () -> checkBatches(one)));
  }

  @TestFactory
  Stream<DynamicTest> damageInPartsIsFoundWhereTheVectorsSay() {
    return Vectors.parts().stream().map(one -> dynamicTest(one.name(), () -> checkParts(one)));
  }

  private static void checkBatches(Vectors.Case expected) throws InvalidProtocolBufferException {
    try (BatchStream stream = server.client().stream(expected.loader())) {
      for (Vectors.Expected one : expected.batches()) {
        try (Batch batch = stream.next()) {
          one.check(batch);
          assertEquals(batch.header().getNext(), stream.cursor());
        }
      }
      assertFalse(stream.hasNext());
      assertEquals(0, stream.reconnects());
    }
  }

  private static void checkParts(Vectors.Parts expected) throws InvalidProtocolBufferException {
    Assembler assembler = new Assembler(expected.most_bytes(), new Memory());
    List<Batch> batches = new ArrayList<>();
    String error = null;
    for (String part : expected.parts()) {
      try {
        var parsed = BatchPart.parseFrom(Base64.getDecoder().decode(part));
        assembler.push(parsed).ifPresent(batches::add);
      } catch (PartException damage) {
        error = damage.kind().name().toLowerCase(Locale.ROOT);
        break;
      }
    }
    assertEquals(expected.error(), error);
    assertEquals(expected.batches().size(), batches.size());
    for (int at = 0; at < batches.size(); at++) {
      expected.batches().get(at).check(batches.get(at));
    }
  }
}
