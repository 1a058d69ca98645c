/**
 * Averages predictions over the views of every sample: `predictions` holds rows of `width` numbers, those of a sample's `views`
 * one after the other, as the rows of a tensor with `views` lie; the result has one row per sample. Summed in 64 bits. Views of
 * 0 or 1 are one row per sample: nothing changes.
 *
 * @throws RangeError if the predictions are no whole number of samples.
 */
export function meanOfViews(predictions: Float32Array, views: number, width: number): Float32Array {
  const rows = Math.max(views, 1);
  const sample = rows * width;
  if (!Number.isInteger(sample) || sample <= 0 || predictions.length % sample !== 0) {
    throw new RangeError(`${predictions.length} numbers, expected a multiple of ${rows} views times ${width} numbers`);
  }
  return Float32Array.from({ length: predictions.length / rows }, (_, at) => {
    const first = Math.floor(at / width) * sample + (at % width);
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      sum += predictions[first + row * width] ?? NaN;
    }
    return sum / rows;
  });
}

/** The numbers of an FP16 tensor (IEEE half precision), exactly, in 32 bits. */
export function float32FromFp16(bits: Uint16Array): Float32Array {
  halves ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => ofHalf(bits));
  const table = halves;
  return Float32Array.from(bits, (half) => table[half] ?? NaN);
}

/** The numbers of a BF16 tensor, exactly, in 32 bits: they are the upper halves of these. */
export function float32FromBf16(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (upper) => upper << 16).buffer);
}

/** Every number of 16 bits, made when it is first asked for. */
let halves: Float32Array | undefined;

function ofHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
