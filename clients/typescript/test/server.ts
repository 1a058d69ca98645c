import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream";
import { fileURLToPath } from "node:url";

/** The root of the repository, seen from `build/test`. */
const ROOT = new URL("../../../../", import.meta.url);
export const VECTORS = new URL("tests/data/vectors/", ROOT);
const FEEDLINE = process.env["FEEDLINE"] ?? fileURLToPath(new URL("target/debug/feedline", ROOT));

/** `feedline serve` of the vectors' dataset, as a process of its own. */
export class Server {
  readonly #process: ChildProcess;

  private constructor(
    process: ChildProcess,
    /** `HOST:PORT`. */
    readonly address: string,
  ) {
    this.#process = process;
  }

  /** Starts it, and waits until it listens. */
  static async start(address = "127.0.0.1:0"): Promise<Server> {
    const dataset = fileURLToPath(new URL("dataset", VECTORS));
    const command = ["--log", "warn", "serve", dataset, "--listen", address, "--threads", "2"];
    const child = spawn(FEEDLINE, command, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child, "spawn");
    for await (const line of createInterface({ input: child.stdout })) {
      assert.match(line, /^listening on /);
      return new Server(child, line.slice("listening on ".length).trim());
    }
    throw new Error(`${FEEDLINE} ended without listening`);
  }

  /** Kills it without further ado, and waits until it is gone. */
  async kill(): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }

  /** Asks it to stop; a drained server ends well. */
  async stop(): Promise<void> {
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    assert.deepEqual(await gone, [0, null]);
  }
}

/** What is between client and server. Its first connection passes through `spoil`; the others are left alone. */
export class Wire {
  /** Ends when a client's side of a connection is closed, one after the other. */
  readonly closings: Promise<unknown>[] = [];
  readonly #server = createServer((client) => {
    this.#carry(client);
  });

  constructor(
    readonly target: string,
    readonly spoil: (bytes: Buffer, passed: number) => Buffer,
  ) {}

  /** `HOST:PORT`, once it listens. */
  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await closed;
  }

  #carry(client: Socket): void {
    // The first connection is that of `Describe`, the second one that of the first stream.
    const closing = new Promise((resolve) => client.once("close", resolve));
    const isSpoilt = this.closings.push(closing) === 2;
    const [host, port] = this.target.split(":");
    const server = connect(Number(port), host);
    const spoil = this.spoil;
    const way = async function* (bytes: AsyncIterable<Buffer>) {
      let passed = 0;
      for await (const some of bytes) {
        yield isSpoilt ? spoil(some, passed) : some;
        passed += some.length;
      }
    };
    // Whichever side closes, the other one is closed too.
    pipeline(client, server, () => client.destroy());
    pipeline(server, way, client, () => server.destroy());
  }
}
