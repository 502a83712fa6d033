import assert from "node:assert/strict";
import { test } from "node:test";
import { datagramBytesFor } from "../../src/daemon/pushes/datagram-length.ts";

/** The length of the datagrams of a transfer. */

const member = (protocol: number, datagramBytes?: number) => {
  const common = { hostName: "host", version: "1", receives: true, sends: true, labels: [] };
  return { info: { ...common, protocol, ...(datagramBytes !== undefined && { datagramBytes }) } };
};

test("the shortest of this node and all members decides", () => {
  assert.equal(datagramBytesFor([member(3), member(3)], 1440), 1440);
  assert.equal(datagramBytesFor([member(3), member(3)], 1372), 1372);
  assert.equal(datagramBytesFor([member(3), member(4, 1300)], 1372), 1300);
  assert.equal(datagramBytesFor([member(3, 1400)], 1372), 1372);
});

test("a member of version 2 understands the usual length alone", () => {
  assert.equal(datagramBytesFor([member(3, 1300), member(2)], 1372), 1440);
});
