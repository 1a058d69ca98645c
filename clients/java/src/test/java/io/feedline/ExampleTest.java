package io.feedline;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.feedline.example.PrintBatches;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Promise: the example runs. */
@Timeout(120)
class ExampleTest {
  @Test
  void theExamplePrintsShapesAndLabels() throws IOException {
    var printed = new ByteArrayOutputStream();
    PrintStream output = System.out;
    try (Server server = Server.start();
        PrintStream captured = new PrintStream(printed, true, StandardCharsets.UTF_8)) {
      System.setOut(captured);
      PrintBatches.main(new String[] {server.address(), "2"});
    } finally {
      System.setOut(output);
    }
    String text = printed.toString(StandardCharsets.UTF_8);
    assertTrue(text.contains("0:1 [image UINT8 [8, 3, 224, 224], label INT64 [8]] labels ["), text);
  }
}
