import assert from "node:assert/strict";
import { test } from "node:test";
import { compressionFor, digestsDataFor } from "../../src/daemon/pushes/compression-choice.ts";
import { parseCompression } from "../../src/daemon/settings/compression.ts";

/** Whether the contents of a transfer are compressed. */

const member = (protocol: number) => {
  const info = { hostName: "host", version: "1", protocol, receives: true, sends: true, labels: [] };
  return { info };
};

test("a request decides, or else the setting", () => {
  assert.equal(compressionFor([member(3), member(4)], {}, "auto"), "auto");
  assert.equal(compressionFor([member(3)], { compression: "yes" }, "no"), "yes");
  assert.equal(compressionFor([member(3)], { compression: "no" }, "yes"), "no");
});

test("nothing is compressed for a member that could not unpack it", () => {
  assert.equal(compressionFor([member(3), member(2)], { compression: "yes" }, "yes"), "no");
});

test("digests are made of data alone if all members understand that", () => {
  assert.deepEqual(
    [
      [member(3), member(4)],
      [member(2), member(3)],
    ].map(digestsDataFor),
    [true, false],
  );
});

test("the setting is one of three words", () => {
  assert.deepEqual(["auto", "yes", "no"].map(parseCompression), ["auto", "yes", "no"]);
  assert.throws(() => parseCompression("gzip"), /^UserError: compress is 'gzip': give auto, yes or no$/);
});
