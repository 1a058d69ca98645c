package io.feedline;

/** Numbers of 16 bits, which Java has no type for, as {@code float}. All of them are exact. */
public final class HalfFloats {
  private HalfFloats() {}

  /**
   * The number of an IEEE half-precision value.
   *
   * @param bits its 16 bits
   * @return the same number
   */
  public static float fromFp16(short bits) {
    int exponent = bits >> 10 & 0x1f;
    int fraction = bits & 0x3ff;
    int sign = (bits & 0x8000) << 16;
    if (exponent == 0) {
      return Math.copySign(fraction * 0x1p-24f, Float.intBitsToFloat(sign));
    }
    int wide = exponent == 0x1f ? 0xff : exponent + 127 - 15;
    return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
  }

  /**
   * The number of a bfloat16 value.
   *
   * @param bits its 16 bits
   * @return the same number
   */
  public static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }
}
