import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBinary } from "@bufbuild/protobuf";
import { Assembler, PartError } from "@feedline/client";
import { BatchPartSchema } from "@feedline/client/v1";

import { PARTS, expectedOf } from "./expected.js";

for (const { name, most_bytes, parts, batches, error } of PARTS) {
  void test(`parts: ${name}`, () => {
    const assembler = new Assembler(BigInt(most_bytes));
    const found = [];
    let wrong: string | null = null;
    for (const part of parts) {
      try {
        const batch = assembler.push(fromBinary(BatchPartSchema, Buffer.from(part, "base64")));
        found.push(...(batch ? [expectedOf(batch)] : []));
      } catch (caught) {
        assert.ok(caught instanceof PartError, String(caught));
        wrong = caught.kind;
        break;
      }
    }
    assert.deepEqual(found, batches);
    assert.equal(wrong, error);
  });
}
