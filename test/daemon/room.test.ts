import assert from "node:assert/strict";
import { test } from "node:test";
import { Room, type RoomParts } from "../../src/daemon/disk/room.ts";

/** What the writing thread gives up for a call that finds no room. */

const MEBIBYTE = 1024 * 1024;

interface Case {
  readonly code: string;
  /** How many bytes the call writes. */
  readonly bytes?: number;
  readonly missing: number;
  readonly free?: number;
  readonly isPlain?: boolean;
}

/** How many of three areas of 1 MiB are given up for a call that fails again and again. */
function givenUp({ code, bytes = 1000, missing, free = 0, isPlain = true }: Case): number {
  let kept = 3;
  const undo = {
    makeRoom: () => kept > 0 && kept-- > 0,
    spare: () => ({ bytes: kept * MEBIBYTE, inodes: 10 }),
    tidy: () => assert.fail("somebody may be about to use the directory"),
  };
  const fileSystem = () => ({ freeBytes: free, isPlain });
  const room = new Room({ stages: new Map(), undo, fileSystem } as unknown as RoomParts);
  room.during({ missingBytes: missing }, () => {
    while (room.giveUpMeanwhile({ code, bytes: bytes === 0 ? undefined : bytes }));
  });
  return 3 - kept;
}

for (const code of ["ENOSPC", "EDQUOT"])
  test(`${code}: former files stay if the transfer would not fit without them either`, () => {
    assert.equal(givenUp({ code, missing: 4 * MEBIBYTE }), 0);
    assert.equal(givenUp({ code, missing: 3 * MEBIBYTE }), 1, "the first one frees less than it may");
    assert.equal(givenUp({ code, missing: 500 }), 3);
  });

test("free space counts, and so does what may be left of a quota; the free space says nothing about that", () => {
  const missing = 3 * MEBIBYTE + 2000;
  assert.equal(givenUp({ code: "ENOSPC", missing }), 0);
  assert.equal(givenUp({ code: "ENOSPC", missing, free: 2000 }), 1);
  assert.equal(givenUp({ code: "EDQUOT", missing, free: 9 * MEBIBYTE }), 0);
  assert.equal(givenUp({ code: "EDQUOT", missing, bytes: 2000 }), 1);
});

test("they go where nobody knows whether that helps", () => {
  const missing = 9 * MEBIBYTE;
  assert.equal(
    givenUp({ code: "EDQUOT", missing, bytes: 0 }),
    3,
    "an entry: it may be an inode that is missing",
  );
  assert.equal(givenUp({ code: "ENOSPC", missing: 0 }), 3, "nothing is known of the transfer");
  assert.equal(givenUp({ code: "EDQUOT", missing, isPlain: false }), 3, "contents may be compressed");
});
