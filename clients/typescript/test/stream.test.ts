import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { status } from "@grpc/grpc-js";
import { Client, type Loader, RefusedError, cursorFromJson, cursorToJson } from "@feedline/client";

import { type Expected, REQUESTS, expectedOf, loaderOf } from "./expected.js";
import { Server, Wire } from "./server.js";

let server: Server;
before(async () => {
  server = await Server.start();
});
after(() => server.stop());

/** 92,160 bytes in every batch but the last. */
const LONG = REQUESTS.find(({ name }) => name.startsWith("an epoch of FP32"));
assert.ok(LONG);
const { batches: LONG_BATCHES } = LONG;
const LONG_LOADER = loaderOf(LONG);

async function all(address: string, loader: Loader): Promise<Expected[]> {
  const found = [];
  for await (const batch of await new Client(address).stream(loader)) {
    found.push(expectedOf(batch));
  }
  return found;
}

/** Of what comes through a wire, the first bytes only. */
function only(limit: number): Wire["spoil"] {
  return (bytes, passed) => bytes.subarray(0, Math.max(limit - passed, 0));
}

for (const vector of REQUESTS) {
  void test(`batches: ${vector.name}`, async () => {
    assert.deepEqual(await all(server.address, loaderOf(vector)), vector.batches);
  });
}

void test("a server that is killed and started again costs no batch and sends none twice", async () => {
  let mortal = await Server.start();
  // Lets the first batch pass and half of the second, and nothing more: the kill is in the middle of the epoch.
  const wire = new Wire(mortal.address, only(150_000));
  const stream = await new Client(await wire.listen()).stream(LONG_LOADER);
  const first = await stream.next();
  assert.ok(!first.done);
  await mortal.kill();
  mortal = await Server.start(mortal.address);
  const found = [expectedOf(first.value)];
  for await (const batch of stream) {
    found.push(expectedOf(batch));
  }
  assert.deepEqual(found, LONG_BATCHES);
  assert.ok(stream.reconnects > 0, "the stream was cut");
  await Promise.all([wire.close(), mortal.stop()]);
});

void test("a bit that flips on the way costs no batch", async () => {
  const wire = new Wire(server.address, (bytes, passed) => {
    const at = 120_000 - passed;
    const spoilt = Buffer.from(bytes);
    if (at >= 0 && at < bytes.length) {
      spoilt.writeUInt8(spoilt.readUInt8(at) ^ 0x10, at);
    }
    return spoilt;
  });
  const stream = await new Client(await wire.listen()).stream(LONG_LOADER);
  const found = [];
  for await (const batch of stream) {
    found.push(expectedOf(batch));
  }
  assert.deepEqual(found, LONG_BATCHES);
  assert.equal(stream.reconnects, 1);
  await wire.close();
});

void test("a saved cursor goes on with the next batch in a fresh client", async () => {
  const stream = await new Client(server.address).stream(LONG_LOADER);
  await stream.next();
  const saved = cursorToJson(stream.cursor);
  await stream.close();
  const delivery = { ...LONG_LOADER.delivery, start: cursorFromJson(saved), count: "2" };
  assert.deepEqual(await all(server.address, { ...LONG_LOADER, delivery }), LONG_BATCHES.slice(1));
});

void test("leaving the loop closes the connection and ends the stream for good", async () => {
  const wire = new Wire(server.address, (bytes) => bytes);
  const delivery = { ...LONG_LOADER.delivery };
  delete delivery.count;
  const stream = await new Client(await wire.listen()).stream({ ...LONG_LOADER, delivery });
  for await (const batch of stream) {
    assert.deepEqual(expectedOf(batch), LONG_BATCHES[0]);
    break;
  }
  await Promise.all(wire.closings);
  assert.equal(stream.cursor.step, "1");
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
  await wire.close();
});

for (const [what, result] of [
  ["closing", /done/],
  ["aborting", /enough/],
] as const) {
  void test(`${what} ends a next that waits, and frees the connection`, async () => {
    // The settings of the connection come through, and no batch.
    const wire = new Wire(server.address, only(100));
    const controller = new AbortController();
    const stream = await new Client(await wire.listen()).stream(LONG_LOADER, controller.signal);
    const waiting = stream.next().then(({ done }) => (done ? "done" : "a batch"), String);
    if (what === "closing") {
      await stream.close();
    } else {
      controller.abort(new Error("enough"));
    }
    assert.match(await waiting, result);
    await Promise.all(wire.closings);
    await wire.close();
  });
}

void test("a refusal is raised at once with the server's reason", async () => {
  const client = new Client(server.address);
  const refused = async (loader: Loader, code: status, reason: RegExp) => {
    await assert.rejects(client.stream(loader), (error) => {
      assert.ok(error instanceof RefusedError);
      assert.equal(error.code, code);
      assert.match(error.reason, reason);
      return true;
    });
  };
  const spec = { pipeline: { name: "imagenet-train" }, globalBatchSize: 4 };
  await refused({ spec: { ...spec, globalBatchSize: 0 } }, status.INVALID_ARGUMENT, /global_batch_size/);
  await refused({ spec: { ...spec, pipeline: { name: "imagenet-trian" } } }, status.NOT_FOUND, /imagenet-trian/);
  const delivery = { start: { specFingerprint: "0".repeat(32) } };
  await refused({ spec, delivery }, status.FAILED_PRECONDITION, /fingerprint/);
});

void test("a spec that can't be written as a message is refused without a server", async () => {
  const loader = { spec: { pipeline: { name: "imagenet-train" }, globalBatchSize: 1.5 } };
  await assert.rejects(new Client(server.address).stream(loader), /global_batch_size/);
});

void test("a Unix socket serves as well", async () => {
  const folder = await mkdtemp(join(tmpdir(), "feedline-"));
  const local = await Server.start(`unix:${join(folder, "socket")}`);
  assert.deepEqual(await all(local.address, LONG_LOADER), LONG_BATCHES);
  await local.stop();
  await rm(folder, { recursive: true });
});
