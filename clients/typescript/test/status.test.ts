import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";

import { create, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { BrokenContractError, Client, PartError, RefusedError, UnreachableError } from "@feedline/client";
import { BatchPartSchema, DescribeResponseSchema } from "@feedline/client/v1";

const SPEC = { spec: { pipeline: { name: "imagenet-train" }, globalBatchSize: 4 } };
const same = (bytes: Buffer) => bytes;

/** Answers `Describe` as `describe` says, call by call, and every `Stream` with a part that is damaged. */
async function serverThat(describe: (call: number) => grpc.ServerErrorResponse | undefined) {
  const calls = { describe: 0, stream: 0 };
  const method = (path: string, responseStream: boolean) => ({
    path: `/feedline.v1.FeedlineService/${path}`,
    requestStream: false,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  });
  const server = new grpc.Server();
  server.addService(
    { describe: method("Describe", false), stream: method("Stream", true) },
    {
      describe: (_: unknown, answer: grpc.sendUnaryData<Buffer>) => {
        const error = describe(calls.describe++);
        answer(
          error ?? null,
          error ? null : Buffer.from(toBinary(DescribeResponseSchema, create(DescribeResponseSchema))),
        );
      },
      stream: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        calls.stream++;
        const part = create(BatchPartSchema, { header: Uint8Array.of(1), headerCrc32c: 1 });
        call.write(Buffer.from(toBinary(BatchPartSchema, part)));
        call.end();
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error) {
        reject(error);
      } else {
        resolve(port);
      }
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    calls,
    [Symbol.dispose]: () => {
      server.forceShutdown();
    },
  };
}

/** A status, marked as one that a server of feedline chose, or not marked. */
function failed(code: grpc.status, mark?: "retry" | "final"): grpc.ServerErrorResponse {
  const metadata = new grpc.Metadata();
  if (mark) {
    metadata.set("feedline-status", mark);
  }
  return Object.assign(new Error("why"), { code, details: "why", metadata });
}

for (const [what, error] of [
  ["a status that the server says may pass", failed(grpc.status.UNAVAILABLE, "retry")],
  ["a failure of the transport", failed(grpc.status.INTERNAL)],
] as const) {
  void test(`${what} is retried until retryForMs`, async () => {
    using passing = await serverThat((call) => (call < 2 ? error : undefined));
    await new Client(passing.address).describe(SPEC);
    assert.equal(passing.calls.describe, 3);
    using lasting = await serverThat(() => error);
    const expected = error.code === grpc.status.INTERNAL ? UnreachableError : RefusedError;
    await assert.rejects(new Client(lasting.address, { retryForMs: 100 }).describe(SPEC), expected);
    assert.ok(lasting.calls.describe > 1);
  });
}

for (const error of [failed(grpc.status.RESOURCE_EXHAUSTED, "final"), failed(grpc.status.UNIMPLEMENTED)]) {
  void test(`${grpc.status[error.code ?? 0]} that will not pass is raised at once`, async () => {
    using server = await serverThat(() => error);
    await assert.rejects(new Client(server.address).describe(SPEC), { code: error.code, reason: "why" });
    assert.equal(server.calls.describe, 1);
  });
}

void test("a server that breaks the contract is given up after five damaged messages in a row", async () => {
  using server = await serverThat(() => undefined);
  const stream = await new Client(server.address).stream(SPEC);
  await assert.rejects(stream.next(), (error) => {
    assert.ok(error instanceof BrokenContractError && error.cause instanceof PartError);
    assert.equal(error.cause.kind, "header_checksum");
    return true;
  });
  assert.equal(server.calls.stream, 5);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

void test("an address where nobody listens fails after retryForMs", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as { port: number };
  listener.close();
  await once(listener, "close");
  await assert.rejects(new Client(`127.0.0.1:${port}`, { retryForMs: 300 }).listDatasets(), (error) => {
    assert.ok(error instanceof UnreachableError && error.waitedMs >= 300);
    assert.match(error.message, new RegExp(`^no answer from 127.0.0.1:${port} for 0\\.\\d s: .*ECONNREFUSED`));
    return true;
  });
});

void test("a word that is no address is refused", () => {
  for (const address of ["", "localhost", "unix:", "host:port"]) {
    assert.throws(() => new Client(address), /expected HOST:PORT or unix:PATH/);
  }
});
