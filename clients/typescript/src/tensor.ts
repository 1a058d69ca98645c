import { endianness } from "node:os";

import { type BatchHeader, Dtype, type Tensor } from "./v1.js";

/** One tensor of a batch: a view of the payload, dense and row-major. Nothing is copied. */
export type TensorView = TensorShape & TensorNumbers;

interface TensorShape {
  /** `image`, `label`, `sample`, or what views and targets of the spec bring. */
  readonly name: string;
  /** Rows first. A short batch may have no row at all: `[0, ...]`. */
  readonly shape: readonly number[];
  /** Views of every sample, for `meanOfViews`; 0: one row per sample, or rows that are boxes or keypoints. */
  readonly views: number;
}

/** FP16 and BF16 are bits; `float32FromFp16` and `float32FromBf16` make numbers of them. */
type TensorNumbers =
  | { readonly dtype: Dtype.UINT8; readonly data: Uint8Array<ArrayBuffer> }
  | { readonly dtype: Dtype.FP16 | Dtype.BF16; readonly data: Uint16Array<ArrayBuffer> }
  | { readonly dtype: Dtype.FP32; readonly data: Float32Array<ArrayBuffer> }
  | { readonly dtype: Dtype.INT64; readonly data: BigInt64Array<ArrayBuffer> };

/** The view of `tensor` in a payload that begins its `ArrayBuffer`; `layoutError` has found nothing wrong with its header. */
export function viewOf(tensor: Tensor, { buffer }: Uint8Array<ArrayBuffer>): TensorView {
  const { name, dtype, views } = tensor;
  const shape = { name, shape: tensor.shape.map(Number), views };
  const offset = Number(tensor.offset);
  const length = shape.shape.reduce((product, side) => product * side, 1);
  switch (dtype) {
    case Dtype.UINT8:
      return { ...shape, dtype, data: new Uint8Array(buffer, offset, length) };
    case Dtype.FP16:
    case Dtype.BF16:
      return { ...shape, dtype, data: new Uint16Array(buffer, offset, length) };
    case Dtype.FP32:
      return { ...shape, dtype, data: new Float32Array(buffer, offset, length) };
    case Dtype.INT64:
      return { ...shape, dtype, data: new BigInt64Array(buffer, offset, length) };
    case Dtype.UNSPECIFIED:
      throw new TypeError(`tensor ${JSON.stringify(name)} has no dtype`);
  }
}

/**
 * What is wrong with how the tensors of `header` lie: each at a multiple of 64 bytes, as long as its shape and dtype say, inside
 * the payload and none across another. Undefined: nothing. Exact for any numbers of 64 bits.
 */
export function layoutError(header: BatchHeader): string | undefined {
  const payload = BigInt(header.payloadBytes);
  let end = 0n;
  for (const tensor of header.tensors) {
    const name = JSON.stringify(tensor.name);
    const size = SIZES.get(tensor.dtype);
    if (size === undefined) {
      return `tensor ${name} has the unknown dtype ${tensor.dtype}`;
    }
    const [offset, bytes] = [BigInt(tensor.offset), BigInt(tensor.bytes)];
    const length = tensor.shape.reduce((product, side) => product * BigInt(side), size);
    if (offset < end || offset % ALIGNMENT !== 0n || offset + bytes > payload || length !== bytes) {
      return `tensor ${name} of shape [${tensor.shape.join(", ")}] has ${bytes} bytes at ${offset} of a payload of ${payload}`;
    }
    end = offset + bytes;
  }
  return undefined;
}

const ALIGNMENT = 64n;

/** Bytes of one number. */
const SIZES: ReadonlyMap<Dtype, bigint> = new Map([
  [Dtype.UINT8, 1n],
  [Dtype.FP16, 2n],
  [Dtype.BF16, 2n],
  [Dtype.FP32, 4n],
  [Dtype.INT64, 8n],
]);

if (endianness() !== "LE") {
  throw new Error("payloads are little-endian and viewed in place: this processor is big-endian");
}
