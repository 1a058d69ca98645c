import { setTimeout } from "node:timers/promises";

import { PartError } from "./assembler.js";
import { Failure } from "./connection.js";
import { BrokenContractError, RefusedError, UnreachableError } from "./errors.js";

/** Growing pauses between tries, until nothing has arrived for too long. */
export class Retry {
  readonly #address: string;
  readonly #limitMs: number;
  #since = performance.now();
  #pauseMs = FIRST_MS;

  /** Of requests to `address`, for at most `limitMs`. */
  constructor(address: string, limitMs: number) {
    this.#address = address;
    this.#limitMs = limitMs;
  }

  /** Something arrived, or is asked for anew: the next failure starts from the shortest pause. */
  reset(): void {
    this.#since = performance.now();
    this.#pauseMs = FIRST_MS;
  }

  /**
   * The next pause in milliseconds; undefined if the limit is passed. Pauses double up to five seconds, and vary by half, so that
   * the clients of a restarted server do not all come at once.
   */
  next(): number | undefined {
    const leftMs = this.#limitMs - this.#waitedMs;
    if (leftMs <= 0) {
      return undefined;
    }
    const pauseMs = Math.min(this.#pauseMs * (0.5 + Math.random()), leftMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_MS);
    return pauseMs;
  }

  /**
   * Waits before the next try.
   *
   * @throws RefusedError, UnreachableError or BrokenContractError if there is none; what `signal` was aborted with.
   */
  async pause(error: unknown, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const mayPass = error instanceof Failure ? error.mayPass : error instanceof PartError;
    const pauseMs = mayPass ? this.next() : undefined;
    if (pauseMs === undefined) {
      throw this.#last(error);
    }
    await setTimeout(pauseMs, undefined, { signal }).catch(() => {
      signal.throwIfAborted();
    });
  }

  /** What `error` is to the caller. What the server itself says is worth more than that it was tried again and again. */
  #last(error: unknown): unknown {
    if (error instanceof PartError) {
      return new BrokenContractError(this.#address, error);
    }
    if (!(error instanceof Failure)) {
      return error;
    }
    return error.chosen === undefined && error.mayPass
      ? new UnreachableError(this.#address, this.#waitedMs, error)
      : new RefusedError(error.code, error.details);
  }

  get #waitedMs(): number {
    return performance.now() - this.#since;
  }
}

const FIRST_MS = 50;
const LONGEST_MS = 5000;
