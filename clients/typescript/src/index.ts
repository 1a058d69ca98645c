export { Assembler, type DamageKind, PartError } from "./assembler.js";
export { Batch } from "./batch.js";
export { Client, type ClientOptions, type Loader } from "./client.js";
export { cursorFromJson, cursorToJson } from "./cursor.js";
export { BrokenContractError, FeedlineError, RefusedError, UnreachableError } from "./errors.js";
export { float32FromBf16, float32FromFp16, meanOfViews } from "./numbers.js";
export type { BatchStream } from "./stream.js";
export type { TensorView } from "./tensor.js";
