import { fromJsonString, toJsonString } from "@bufbuild/protobuf";

import { type Cursor, CursorSchema } from "./v1.js";

/** A cursor as text, for a checkpoint: epoch, step and the fingerprints of dataset and spec. */
export function cursorToJson(cursor: Cursor): string {
  return toJsonString(CursorSchema, cursor);
}

/**
 * The cursor that `cursorToJson` wrote, to be given as `delivery.start`.
 *
 * @throws Error if the text is no cursor.
 */
export function cursorFromJson(text: string): Cursor {
  return fromJsonString(CursorSchema, text);
}
