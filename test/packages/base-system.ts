import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { must, run } from "../support/processes.ts";

/** A Debian system to boot, made once and kept: the packages of later runs are tried on copies of it. */

/** The release that has been in use for longest. */
const RELEASE = "bookworm";

/** What a machine has beyond that. */
export interface SystemWishes {
  /** Another release of Debian, by its code name. */
  readonly release?: string;
  /** Further packages of Debian. */
  readonly packages?: readonly string[];
}

/** What a small server has, and rpm: the packages for RPM are tried on the same system. */
const PACKAGES = ["systemd", "systemd-sysv", "dbus", "iproute2", "man-db", "procps", "rpm"];
const SET_UP = [
  // Addresses come from a file that each host gets before it boots.
  'chroot "$1" systemctl enable systemd-networkd',
  // Each host gets an id of its own when it boots.
  'rm -f "$1/etc/machine-id" "$1/var/lib/dbus/machine-id"; touch "$1/etc/machine-id"',
  // Manual pages are part of what is tried; Debian's small systems leave them out.
  'rm -f "$1/etc/dpkg/dpkg.cfg.d/excludes"',
];

const CACHE = "/var/cache/makuosan-tests";

/** The root directory of the system. Nothing may be written there. */
export async function baseSystem({ release = RELEASE, packages = [] }: SystemWishes = {}): Promise<string> {
  const all = [...PACKAGES, ...packages];
  const wanted = JSON.stringify([release, all, SET_UP]);
  const name = `debian-${crypto.createHash("sha256").update(wanted).digest("hex").slice(0, 12)}`;
  const base = path.join(CACHE, name);
  if (fs.existsSync(base)) return base;
  fs.mkdirSync(CACHE, { recursive: true });
  const unfinished = fs.mkdtempSync(path.join(CACHE, "unfinished-"));
  try {
    const hooks = SET_UP.map((command) => `--customize-hook=${command}`);
    const included = `--include=${all.join(",")}`;
    await must("mmdebstrap", ["--variant=apt", included, ...hooks, release, unfinished], {
      timeoutMs: 600_000,
    });
    fs.renameSync(unfinished, base);
  } catch (error) {
    await run("rm", ["-rf", "--one-file-system", unfinished]);
    throw error;
  }
  return base;
}
