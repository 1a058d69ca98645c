import { create, fromBinary } from "@bufbuild/protobuf";
import { crc32c } from "@node-rs/crc32";

import { Batch } from "./batch.js";
import { layoutError } from "./tensor.js";
import { type BatchHeader, BatchHeaderSchema, type BatchPart, TimingsSchema } from "./v1.js";

/**
 * What is wrong with what arrived: a checksum; `header`, that is no BatchHeader; `tensor`, misplaced or of an unknown dtype;
 * `offset`, a part is missing, doubled or too long; `length`, longer than described; `early`, a header within a batch;
 * `headless`, a batch without one; `message`, that is none of the contract's; `cursor`, another batch than the one asked for.
 */
export type DamageKind =
  | "header_checksum"
  | "payload_checksum"
  | "header"
  | "tensor"
  | "offset"
  | "length"
  | "early"
  | "headless"
  | "message"
  | "cursor";

/** What arrived breaks the contract or a checksum. */
export class PartError extends Error {
  override readonly name = "PartError";

  constructor(
    readonly kind: DamageKind,
    message: string,
  ) {
    super(message);
  }
}

/** Puts batches together from their parts, and checks each. After an error it is of no use any more. */
export class Assembler {
  readonly #mostBytes: bigint;
  #partial: { batch: Batch; filled: number } | undefined;

  /** For batches of at most `mostBytes` bytes: `DescribeResponse.payloadBytes`. */
  constructor(mostBytes: bigint) {
    this.#mostBytes = mostBytes;
  }

  /**
   * Takes the next part; returns the batch that it completes. The bytes of the part are copied once, into the batch's memory.
   *
   * @throws PartError if the part breaks the contract or a checksum.
   */
  push(part: BatchPart): Batch | undefined {
    if (part.header.length > 0) {
      if (this.#partial) {
        throw new PartError("early", "a batch that begins before the one before it was whole");
      }
      this.#partial = { batch: this.#begun(part), filled: 0 };
    }
    if (!this.#partial) {
      throw new PartError("headless", "a batch that begins without header");
    }
    const { batch, filled } = this.#partial;
    const end = filled + part.data.length;
    if (BigInt(part.offset) !== BigInt(filled) || end > batch.payload.length) {
      throw new PartError("offset", `a part at ${part.offset}, expected one at ${filled} of ${batch.payload.length}`);
    }
    batch.payload.set(part.data, filled);
    if (end < batch.payload.length) {
      this.#partial.filled = end;
      return undefined;
    }
    this.#partial = undefined;
    checkCrc("payload", batch.payload, batch.header.payloadCrc32c);
    return batch;
  }

  /** The batch that `part` begins, with memory for its payload. */
  #begun(part: BatchPart): Batch {
    checkCrc("header", part.header, part.headerCrc32c);
    const header = headerOf(part.header);
    const wrong = layoutError(header);
    if (wrong !== undefined) {
      throw new PartError("tensor", wrong);
    }
    if (BigInt(header.payloadBytes) > this.#mostBytes) {
      const { payloadBytes } = header;
      throw new PartError("length", `a payload of ${payloadBytes} bytes, at most ${this.#mostBytes} were described`);
    }
    // Memory of its own: Node's pooled buffers begin anywhere, and typed arrays must begin at multiples of their numbers' size.
    return new Batch(header, part.timings ?? create(TimingsSchema), new Uint8Array(Number(header.payloadBytes)));
  }
}

function headerOf(bytes: Uint8Array): BatchHeader {
  try {
    return fromBinary(BatchHeaderSchema, bytes);
  } catch (error) {
    throw new PartError("header", `a header that is no BatchHeader: ${String(error)}`);
  }
}

function checkCrc(what: "header" | "payload", bytes: Uint8Array, expected = 0): void {
  const found = crc32c(bytes);
  if (found !== expected) {
    const [hex, expectedHex] = [found, expected].map((crc) => crc.toString(16).padStart(8, "0"));
    throw new PartError(`${what}_checksum`, `CRC32C of the ${what} is ${hex}, expected ${expectedHex}`);
  }
}
