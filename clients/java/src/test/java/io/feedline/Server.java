package io.feedline;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** {@code feedline serve} of the vectors' dataset, as a process. */
final class Server implements AutoCloseable {
  /** The root of the repository. */
  static final Path ROOT = root();

  private final Process process;
  private final BufferedReader output;
  private final String address;

  private Server(Process process) throws IOException {
    this.process = process;
    this.output = process.inputReader();
    String line = output.readLine();
    if (line == null || !line.startsWith("listening on ")) {
      process.destroyForcibly();
      throw new IllegalStateException("the server says " + line);
    }
    this.address = line.substring("listening on ".length()).strip();
  }

  /** Starts one at a free port. */
  static Server start() throws IOException {
    return start("127.0.0.1:0");
  }

  /** Starts one at an address, and waits until it listens. */
  static Server start(String address) throws IOException {
    String program = System.getenv("FEEDLINE");
    if (program == null) {
      program = ROOT.resolve("target/debug/feedline").toString();
    }
    String dataset = ROOT.resolve("tests/data/vectors/dataset").toString();
    var command =
        new ProcessBuilder(program, "--log", "warn", "serve", dataset, "--listen", address)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    return new Server(command.start());
  }

  String address() {
    return address;
  }

  Client client() {
    return Client.of(address);
  }

  /** Ends it at once, in the middle of whatever it does. */
  void kill() throws IOException {
    try {
      process.destroyForcibly().waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    output.close();
  }

  /** Asks it to stop; returns its exit code, as soon as its streams and connections are gone. */
  int stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      throw new IllegalStateException("the server does not stop");
    }
    return process.exitValue();
  }

  @Override
  public void close() throws IOException {
    kill();
  }

  private static Path root() {
    Path folder = Path.of("").toAbsolutePath();
    while (!folder.resolve("tests/data/vectors/batches.json").toFile().exists()) {
      folder = folder.getParent();
    }
    return folder;
  }
}
