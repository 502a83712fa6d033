import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUndoSize } from "../../src/daemon/settings/undo-size.ts";

test("undo-size is a number of bytes, with a unit or without", () => {
  const sizes = {
    "1": 1,
    "4K": 4_096,
    "1G": 1_073_741_824,
    "1073741824": 1_073_741_824,
    "5000000000000": 5e12,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseUndoSize(text), bytes, text);
  for (const text of ["", "0", "0G", "-1", "1.5G", "1g", "10%", "9999999999999999", "9999999T", "1e9"])
    assert.throws(() => parseUndoSize(text), /^UserError: undo-size is '.*': give a number of bytes/, text);
});
