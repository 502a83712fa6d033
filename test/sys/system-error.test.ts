import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCode, systemError } from "../../src/sys/system-error.ts";

/** The names of errors that Node has no name for. */

test("an error that Node only knows by its number has its name", () => {
  const of = (code: string, errno: number) => errorCode(Object.assign(new Error(), { code, errno }));
  assert.equal(of("ENOENT", -2), "ENOENT");
  assert.equal(of("UNKNOWN", -122), "EDQUOT");
  assert.equal(of("Unknown system error -117", -117), "EUCLEAN");
  assert.equal(of("Unknown system error -9999", -9999), "Unknown system error -9999");
  assert.deepEqual(
    [2, 122, 116].map((errno) => systemError("call", errno).code),
    ["ENOENT", "EDQUOT", "ESTALE"],
  );
  assert.throws(() => errorCode(new TypeError("no code")), TypeError);
});
