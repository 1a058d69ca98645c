import { clone, create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";

import { Assembler, PartError } from "./assembler.js";
import type { Batch } from "./batch.js";
import { Connection, Failure } from "./connection.js";
import { BrokenContractError } from "./errors.js";
import { Retry } from "./retry.js";
import {
  type Cursor,
  CursorSchema,
  DeliverySchema,
  type DescribeResponse,
  FeedlineService,
  type StreamRequest,
  StreamRequestSchema,
} from "./v1.js";

/** Where a stream comes from. */
interface Source {
  address: string;
  retryForMs: number;
  signal: AbortSignal | undefined;
}

/**
 * Batches in plan order, each once, for one `for await`. A lost connection, a restarted server and a damaged message cost time,
 * never a batch: the stream goes on with the next one. Leaving the loop closes it; another stream goes on from its `cursor`.
 *
 * Reads at most 16 parts ahead: 16 MiB, unless `delivery.partBytes` says otherwise. A slow loop holds the server back.
 */
export class BatchStream implements AsyncIterableIterator<Batch, undefined, undefined> {
  /** What the server said of the stream. */
  readonly description: DescribeResponse;
  readonly #request: StreamRequest;
  readonly #source: Source;
  readonly #closed = new AbortController();
  readonly #batches: AsyncGenerator<Batch, undefined, undefined>;
  /** What to ask for next. */
  #next: Cursor;
  /** Batches that are still to come; undefined: without end. */
  #left: bigint | undefined;
  #reconnects = 0;

  /** @internal */
  constructor(request: StreamRequest, description: DescribeResponse, source: Source) {
    this.description = description;
    this.#request = request;
    this.#source = source;
    const { start, count } = request.delivery ?? create(DeliverySchema);
    this.#left = count === undefined ? undefined : BigInt(count);
    this.#next = create(CursorSchema, {
      epoch: start?.epoch ?? 0,
      step: start?.step ?? "0",
      datasetFingerprint: description.spec?.datasetFingerprint ?? "",
      specFingerprint: description.specFingerprint,
    });
    this.#batches = this.#untilClosed();
  }

  /** Where a client goes on that has every batch handed out up to now: what to save in a checkpoint. */
  get cursor(): Cursor {
    return this.#next;
  }

  /** How often the stream was begun again. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /**
   * The next batch; done after `count` of them, or when the stream was closed.
   *
   * @throws FeedlineError if the server refuses, or nothing has arrived for `retryForMs`. The stream is at its end then.
   */
  next(): Promise<IteratorResult<Batch, undefined>> {
    return this.#batches.next();
  }

  /** Closes the stream and its connection, and ends a `next` that waits. */
  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#closed.abort();
    await this.#batches.return(undefined);
    return { done: true, value: undefined };
  }

  /** The same as `return`, for whoever does not use `for await`. */
  async close(): Promise<void> {
    await this.return();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Closing interrupts, and is no failure. */
  async *#untilClosed(): AsyncGenerator<Batch, undefined, undefined> {
    try {
      yield* this.#untilDone();
    } catch (error) {
      if (!this.#closed.signal.aborted) {
        throw error;
      }
    }
    return undefined;
  }

  async *#untilDone(): AsyncGenerator<Batch, void, undefined> {
    const { address, retryForMs, signal } = this.#source;
    const ended = AbortSignal.any([this.#closed.signal, ...(signal ? [signal] : [])]);
    const retry = new Retry(address, retryForMs);
    let broken = 0;
    while (this.#left !== 0n) {
      try {
        using connection = await Connection.open(address, ended);
        const assembler = new Assembler(BigInt(this.description.payloadBytes));
        for await (const part of connection.stream(FeedlineService.method.stream, this.#nextRequest())) {
          ended.throwIfAborted();
          retry.reset();
          const batch = assembler.push(part);
          if (!batch) {
            continue;
          }
          this.#goOnAfter(batch);
          broken = 0;
          yield batch;
          if (this.#left === 0n) {
            return;
          }
          // Whoever was busy with the batch has not been waiting for the next one.
          retry.reset();
        }
        // A stream that ends before its count was cut off by something between us.
        throw new Failure(status.UNAVAILABLE, "the stream ended early");
      } catch (error) {
        if (error instanceof PartError && ++broken === MOST_BROKEN) {
          throw new BrokenContractError(address, error);
        }
        await retry.pause(error, ended);
        this.#reconnects++;
      }
    }
  }

  #nextRequest(): StreamRequest {
    const request = clone(StreamRequestSchema, this.#request);
    request.delivery ??= create(DeliverySchema);
    request.delivery.start = this.#next;
    if (this.#left !== undefined) {
      request.delivery.count = this.#left.toString();
    }
    return request;
  }

  /** Counts `batch` as handed out, if it is the one asked for. */
  #goOnAfter({ header: { epoch, step, next } }: Batch): void {
    const asked = this.#next;
    // The end of an epoch is the start of the next one.
    const atEnd = asked.step === this.description.stepsPerEpoch && epoch === asked.epoch + 1 && step === "0";
    if (!atEnd && (epoch !== asked.epoch || step !== asked.step)) {
      throw new PartError("cursor", `batch ${epoch}:${step} came, expected ${asked.epoch}:${asked.step}`);
    }
    if (this.#left !== undefined) {
      this.#left--;
    }
    if (!next) {
      this.#left = 0n;
    } else if (!this.#request.delivery?.repeat) {
      this.#next = next;
    }
  }
}

/** Messages in a row that may break the contract before it is not chance any more. */
const MOST_BROKEN = 5;
