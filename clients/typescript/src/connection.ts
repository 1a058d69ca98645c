import {
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescMessage,
  type MessageShape,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";

import { PartError } from "./assembler.js";

/** A request that failed, with the status that the server or the transport gave it. */
export class Failure extends Error {
  /**
   * @param code - The gRPC code.
   * @param details - What went wrong.
   * @param chosen - Of a status that the server chose: `retry` when the same request may succeed later, or `final`.
   */
  constructor(
    readonly code: grpc.status,
    readonly details: string,
    readonly chosen?: string,
  ) {
    super(`${grpc.status[code]}: ${details}`);
  }

  /**
   * Whether another try may go better. Of the statuses that the server chose, those that it says may pass; of the others those
   * that the transport makes of a lost peer, which it reports under several codes, and those of something between us that is full.
   */
  get mayPass(): boolean {
    return this.chosen === undefined ? TRANSPORT_CODES.has(this.code) : this.chosen === "retry";
  }
}

/** A connection of one's own, for one request: HTTP/2 shares a connection's window among its streams. */
export class Connection implements Disposable {
  readonly #client: grpc.Client;
  readonly #signal: AbortSignal;
  readonly #connected: Promise<void>;
  #call: { cancel(): void } | undefined;

  private constructor(address: string, signal: AbortSignal) {
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure(), OPTIONS);
    this.#signal = signal;
    this.#connected = connected(this.#client);
    signal.addEventListener("abort", this.#end);
  }

  /** Connects to `address`. Aborting `signal` ends the connection and what runs on it. */
  static async open(address: string, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted();
    const connection = new Connection(address, signal);
    try {
      await unlessAborted(connection.#connected, signal);
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Calls a method that gives one answer. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
  ): Promise<MessageShape<O>> {
    const sent = Buffer.from(toBinary(method.input, request));
    const answer = await new Promise<Buffer>((resolve, reject) => {
      this.#call = this.#client.makeUnaryRequest(pathOf(method), same, same, sent, (error, bytes) => {
        if (bytes) {
          resolve(bytes);
        } else {
          reject(failureOf(error));
        }
      });
    });
    return decoded(method.output, answer);
  }

  /** Calls a method that gives a stream of messages. They are read as they are asked for: at most 16 lie ahead. */
  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageShape<I>,
  ): AsyncGenerator<MessageShape<O>, void, undefined> {
    const sent = Buffer.from(toBinary(method.input, request));
    const call = this.#client.makeServerStreamRequest(pathOf(method), same, same, sent);
    this.#call = call;
    // A status that comes after the last read has nobody to be told to.
    call.on("error", () => undefined);
    try {
      for await (const bytes of call as AsyncIterable<Buffer>) {
        yield decoded(method.output, bytes);
      }
    } catch (error) {
      throw failureOf(error);
    }
  }

  /** Ends what runs, and closes the connection. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#end);
    this.#end();
  }

  readonly #end = (): void => {
    this.#call?.cancel();
    const close = () => {
      this.#client.close();
    };
    // Not before it is connected: grpc-js keeps a connection for ever that was closed while its address was looked up.
    this.#connected.then(close, close);
  };
}

/** Waits until a client is connected, or has failed to be: then a request says why. */
async function connected(client: grpc.Client): Promise<void> {
  const channel = client.getChannel();
  const deadline = Date.now() + CONNECT_MS;
  let state = channel.getConnectivityState(true);
  while (state === grpc.connectivityState.IDLE || state === grpc.connectivityState.CONNECTING) {
    await new Promise<void>((resolve, reject) => {
      channel.watchConnectivityState(state, deadline, (late) => {
        if (late) {
          reject(new Failure(grpc.status.UNAVAILABLE, `no connection within ${CONNECT_MS / 1000} s`));
        } else {
          resolve();
        }
      });
    });
    state = channel.getConnectivityState(true);
  }
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener("abort", stop);
  });
  try {
    await Promise.race([promise, aborted]);
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** How long a connection may take, in milliseconds. */
const CONNECT_MS = 10_000;

const OPTIONS: grpc.ChannelOptions = {
  // Channels to one address share a connection unless told not to.
  "grpc.use_local_subchannel_pool": 1,
  // The largest part that may be asked for, and its header.
  "grpc.max_receive_message_length": 66 << 20,
  "grpc.keepalive_time_ms": 60_000,
  "grpc.keepalive_timeout_ms": 20_000,
  // What may be under way while this side is busy.
  "grpc-node.flow_control_window": 4 << 20,
  // Requests are tried again here, where it is known with which batch to go on.
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
};

const TRANSPORT_CODES: ReadonlySet<grpc.status> = new Set([
  grpc.status.CANCELLED,
  grpc.status.UNKNOWN,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.RESOURCE_EXHAUSTED,
  grpc.status.INTERNAL,
  grpc.status.UNAVAILABLE,
]);

/** An error of grpc-js as a failure, any other one as it is. */
function failureOf(error: unknown): Error {
  if (error instanceof Error && "code" in error && "metadata" in error && error.metadata instanceof grpc.Metadata) {
    const { code, details, metadata } = error as grpc.ServiceError;
    return new Failure(code, details, metadata.get("feedline-status")[0]?.toString());
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** Messages are made and read outside of grpc-js, for which a request that can't be made is a failure like any other. */
function same(bytes: Buffer): Buffer {
  return bytes;
}

function decoded<D extends DescMessage>(schema: D, bytes: Buffer): MessageShape<D> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw new PartError("message", `a message that is no ${schema.typeName}: ${String(error)}`);
  }
}

function pathOf(method: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}
