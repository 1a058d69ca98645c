import { status } from "@grpc/grpc-js";

/** What every failure of a client is. */
export abstract class FeedlineError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** The server refused, for a reason that trying again does not change, or that did not pass within `retryForMs`. */
export class RefusedError extends FeedlineError {
  /**
   * @param code - The gRPC code, such as `status.INVALID_ARGUMENT` of `@grpc/grpc-js`.
   * @param reason - What the server said.
   */
  constructor(
    readonly code: status,
    readonly reason: string,
  ) {
    super(`the server refused with ${status[code]}: ${reason}`);
  }
}

/** Nothing arrived for `retryForMs`. `cause` is the last failure. */
export class UnreachableError extends FeedlineError {
  /**
   * @param address - The server.
   * @param waitedMs - How long it was tried, in milliseconds.
   * @param cause - The last failure.
   */
  constructor(
    readonly address: string,
    readonly waitedMs: number,
    cause: Error,
  ) {
    super(`no answer from ${address} for ${(waitedMs / 1000).toFixed(1)} s: ${cause.message}`, { cause });
  }
}

/** What arrives breaks the contract, again and again. `cause` is the last damage, a `PartError`. */
export class BrokenContractError extends FeedlineError {
  /**
   * @param address - The server.
   * @param cause - What is wrong.
   */
  constructor(
    readonly address: string,
    cause: Error,
  ) {
    super(`the server at ${address} breaks the contract: ${cause.message}`, { cause });
  }
}
