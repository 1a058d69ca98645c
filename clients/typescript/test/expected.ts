import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { fromBinary } from "@bufbuild/protobuf";
import { type Batch, type Loader, type TensorView, float32FromBf16, float32FromFp16 } from "@feedline/client";
import { Dtype, StreamRequestSchema } from "@feedline/client/v1";

import { VECTORS } from "./server.js";

/** A batch as the vectors write it. */
export interface Expected {
  epoch: number;
  step: number;
  samples: number[];
  tensors: { name: string; dtype: string; shape: number[]; first: number[] }[];
  sha256: string;
}

/** A case of `batches.json`. */
export interface RequestCase {
  name: string;
  request: string;
  batches: Expected[];
}

/** A case of `parts.json`. */
export interface PartsCase {
  name: string;
  most_bytes: number;
  parts: string[];
  batches: Expected[];
  error: string | null;
}

export const REQUESTS = vectors<RequestCase>("batches.json");
export const PARTS = vectors<PartsCase>("parts.json");

function vectors<T>(file: string): T[] {
  return JSON.parse(readFileSync(new URL(file, VECTORS), "utf8")) as T[];
}

/** What a case asks for. */
export function loaderOf({ request }: RequestCase): Required<Loader> {
  const { spec, placement, delivery } = fromBinary(StreamRequestSchema, Buffer.from(request, "base64"));
  return { spec: spec ?? {}, placement: placement ?? {}, delivery: delivery ?? {} };
}

/** `batch` as the vectors write it. */
export function expectedOf(batch: Batch): Expected {
  return {
    epoch: batch.header.epoch,
    step: Number(batch.header.step),
    samples: Array.from(batch.samples, Number),
    tensors: Array.from(batch.tensors.values(), (view) => ({
      name: view.name,
      dtype: Dtype[view.dtype],
      shape: [...view.shape],
      first: firstOf(view),
    })),
    sha256: createHash("sha256").update(batch.payload).digest("hex"),
  };
}

function firstOf({ dtype, data }: TensorView): number[] {
  switch (dtype) {
    case Dtype.FP16:
      return [...float32FromFp16(data.subarray(0, 4))];
    case Dtype.BF16:
      return [...float32FromBf16(data.subarray(0, 4))];
    default:
      return Array.from(data.subarray(0, 4), Number);
  }
}
