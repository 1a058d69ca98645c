import assert from "node:assert/strict";
import { test } from "node:test";

import { float32FromBf16, float32FromFp16, meanOfViews } from "@feedline/client";

void test("every sample gets the mean of its views", () => {
  const predictions = Float32Array.of(1, 10, 3, 20, 5, 0, 7, 2);
  assert.deepEqual([...meanOfViews(predictions, 2, 2)], [2, 15, 6, 1]);
  assert.deepEqual(meanOfViews(predictions, 0, 2), predictions);
  assert.equal(meanOfViews(new Float32Array(), 4, 3).length, 0);
});

void test("a number of rows that is no whole number of samples is refused", () => {
  assert.throws(() => meanOfViews(new Float32Array(9), 2, 3), /9 numbers, .* 2 views/);
  assert.throws(() => meanOfViews(Float32Array.of(1), 2, 0), RangeError);
});

void test("numbers of 16 bits keep their values", () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x8000, 0x7e00);
  assert.deepEqual([...float32FromFp16(halves)], [1, -2, 2 ** -24, 65504, -Infinity, -0, NaN]);
  const brains = Uint16Array.of(0x3f80, 0xc000, 0x4049, 0x7f80);
  assert.deepEqual([...float32FromBf16(brains)], [1, -2, 3.140625, Infinity]);
});
