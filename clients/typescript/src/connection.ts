import {
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescMessage,
  type MessageShape,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";

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

  /** The failure that an error of grpc-js is. */
  static of(error: unknown): Failure {
    if (!isServiceError(error)) {
      return new Failure(grpc.status.UNKNOWN, String(error));
    }
    return new Failure(error.code, error.details, error.metadata.get("feedline-status")[0]?.toString());
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
  #call: { cancel(): void } | undefined;

  private constructor(address: string, signal: AbortSignal) {
    this.#client = new grpc.Client(address, grpc.credentials.createInsecure(), OPTIONS);
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
  }

  /** Connects to `address`. Aborting `signal` ends the connection and what runs on it. */
  static async open(address: string, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(address, signal);
    try {
      await connection.#connected();
      return connection;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** Calls a method that gives one answer. */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageShape<I>,
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      const answered = (error: grpc.ServiceError | null, answer?: MessageShape<O>) => {
        if (answer) {
          resolve(answer);
        } else {
          reject(Failure.of(error));
        }
      };
      const { input, output } = method;
      const serialize = (message: MessageShape<I>) => Buffer.from(toBinary(input, message));
      const deserialize = (bytes: Buffer) => fromBinary(output, bytes);
      this.#call = this.#client.makeUnaryRequest(pathOf(method), serialize, deserialize, request, answered);
    });
  }

  /** Calls a method that gives a stream of messages, serialized. They are read as they are asked for: at most 16 lie ahead. */
  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageShape<I>,
  ): AsyncGenerator<Buffer, void, undefined> {
    const serialize = (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message));
    const call = this.#client.makeServerStreamRequest(pathOf(method), serialize, (bytes) => bytes, request);
    this.#call = call;
    // A status that comes after the last read has nobody to be told to.
    call.on("error", () => undefined);
    const messages = (call as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    for (;;) {
      const { done, value } = await messages.next().catch((error: unknown) => {
        throw Failure.of(error);
      });
      if (done) {
        return;
      }
      yield value;
    }
  }

  /** Ends what runs, and closes the connection. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#abort);
    this.#abort();
  }

  readonly #abort = (): void => {
    this.#call?.cancel();
    this.#client.close();
  };

  /** Waits until there is a connection, or has failed to be: then a request says why. */
  async #connected(): Promise<void> {
    const channel = this.#client.getChannel();
    const deadline = Date.now() + CONNECT_MS;
    for (;;) {
      this.#signal.throwIfAborted();
      const state = channel.getConnectivityState(true);
      if (state !== grpc.connectivityState.IDLE && state !== grpc.connectivityState.CONNECTING) {
        return;
      }
      await new Promise<void>((resolve, reject) => {
        channel.watchConnectivityState(state, deadline, (error) => {
          if (error) {
            reject(new Failure(grpc.status.UNAVAILABLE, `no connection within ${CONNECT_MS / 1000} s`));
          } else {
            resolve();
          }
        });
      });
    }
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

function isServiceError(error: unknown): error is grpc.ServiceError {
  return error instanceof Error && "code" in error && "metadata" in error && error.metadata instanceof grpc.Metadata;
}

function pathOf(method: DescMethodUnary | DescMethodServerStreaming): string {
  return `/${method.parent.typeName}/${method.name}`;
}
