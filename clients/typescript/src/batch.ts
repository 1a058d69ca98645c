import { type TensorView, viewOf } from "./tensor.js";
import { type BatchHeader, Dtype, type Timings } from "./v1.js";

/** A batch as it arrived, checked. Its memory is its own: it stays as it is for as long as it is kept. */
export class Batch {
  /** The tensors by name, in the order of their offsets. */
  readonly tensors: ReadonlyMap<string, TensorView>;

  /**
   * @param header - What it is: epoch, step, the cursor after it, which rows of the global batch, wrapped and substituted rows.
   * @param timings - How long the server took, in nanoseconds.
   * @param payload - The tensors back to back, little-endian, padding included; each begins at a multiple of 64 bytes of its
   * `ArrayBuffer`.
   */
  constructor(
    readonly header: BatchHeader,
    readonly timings: Timings,
    readonly payload: Uint8Array<ArrayBuffer>,
  ) {
    this.tensors = new Map(header.tensors.map((tensor) => [tensor.name, viewOf(tensor, payload)]));
  }

  /**
   * The tensor of a name.
   *
   * @throws RangeError if there is none.
   */
  tensor(name: string): TensorView {
    const found = this.tensors.get(name);
    if (!found) {
      throw new RangeError(`no tensor ${JSON.stringify(name)}, there are ${[...this.tensors.keys()].join(", ")}`);
    }
    return found;
  }

  /** Sample index of each row, in the split, whether it travelled in the header or as a tensor. */
  get samples(): BigUint64Array {
    const tensor = this.tensors.get("sample");
    if (tensor?.dtype === Dtype.INT64) {
      return new BigUint64Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length);
    }
    return BigUint64Array.from(this.header.samples, BigInt);
  }
}
