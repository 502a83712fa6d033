import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { followed, type Mount, mountOfPath, readMounts } from "../../src/sys/mounts.ts";
import { lineThatShows } from "../../src/sys/sandbox.ts";

/** As a service with PrivateTmp=, ProtectHome= and InaccessiblePaths= sees its mounts. */
const TABLE = `\
228 227 0:63 / / rw,relatime shared:1 - ext4 /dev/vda rw
238 228 0:70 /systemd/inaccessible/dir /home ro,nosuid,nodev,noexec shared:214 master:6 - tmpfs tmpfs rw,mode=755
240 228 0:70 /systemd/inaccessible/dir /mnt ro,nosuid,nodev,noexec shared:216 master:6 - tmpfs tmpfs rw,mode=755
241 228 0:71 / /root ro,nosuid,nodev - tmpfs tmpfs rw,mode=755
242 228 0:72 / /media/a\\040b ro,relatime - iso9660 /dev/sr0 ro
243 228 0:73 / /srv/disk rw,relatime - ext4 /dev/vdb rw
732 228 0:66 /systemd-private-f454-makuosan.service-1wwLT8/tmp /tmp rw,nosuid,nodev shared:183 - tmpfs tmpfs rw
735 228 0:63 /var/tmp/systemd-private-f454-makuosan.service-9q/tmp /var/tmp rw,relatime shared:230 - ext4 /dev/vda rw
`;

function mountsOf(table: string): Mount[] {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-mounts-")), "mountinfo");
  fs.writeFileSync(file, table);
  try {
    return readMounts(file);
  } finally {
    fs.rmSync(path.dirname(file), { recursive: true });
  }
}

test("a path that the sandbox hides is told from one that is missing, with the line that shows it", () => {
  const mounts = mountsOf(TABLE);
  assert.equal(mounts.length, 8);
  for (const [file, line] of [
    ["/tmp/no-such-base", "PrivateTmp=no"],
    ["/var/tmp/no-such-base/www", "PrivateTmp=no"],
    ["/home/nobody-here/www", "ProtectHome=no"],
    ["/root/no-such-base", "ProtectHome=no"],
    ["/mnt/no-such-base", "InaccessiblePaths="],
    ["/srv/no-such-base", undefined],
    ["/srv/disk/no-such-base", undefined],
    ["/tmpx/no-such-base", undefined],
    ["/homes/no-such-base", undefined],
  ] as const)
    assert.equal(lineThatShows(file, mounts), line, file);
  assert.equal(lineThatShows("/tmp/no-such-base", []), undefined);
});

test("a disk that is mounted read-only is told from a mount that the sandbox made so", () => {
  const mounts = mountsOf(TABLE);
  assert.equal(mountOfPath("/media/a b/www", mounts)?.isReadOnlyDisk, true);
  assert.equal(mountOfPath("/mnt/www", mounts)?.isReadOnlyDisk, false);
});

test("the mounts of this process have a root", () => {
  assert.equal(mountOfPath("/no-such-file", readMounts())?.point, "/");
  assert.deepEqual(readMounts("/no-such-file"), []);
});

test("a link is followed to where nothing is", (context) => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-mounts-")));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const link = path.join(folder, "link");
  fs.symlinkSync("missing/www", link);
  assert.equal(followed(link), path.join(folder, "missing/www"));
  assert.equal(followed(path.join(link, "x")), path.join(folder, "missing/www/x"));
  fs.symlinkSync("circle", path.join(folder, "circle"));
  assert.equal(followed(path.join(folder, "circle")), path.join(folder, "circle"));
});

test("links that lead to each other many times are not followed for long", (context) => {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-mounts-")));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const count = 10;
  fs.mkdirSync(path.join(folder, "real"));
  fs.symlinkSync("real", path.join(folder, `link${count}`));
  for (let number = 0; number < count; number++) {
    fs.symlinkSync(`link${number + 1}/way${number}`, path.join(folder, `link${number}`));
    fs.symlinkSync(`../link${number + 1}`, path.join(folder, "real", `way${number}`));
  }
  const { mock } = context.mock.method(fs, "readlinkSync");
  followed(path.join(folder, "link0"));
  assert.ok(mock.callCount() < 1_000, `${mock.callCount()} links were read`);
});
