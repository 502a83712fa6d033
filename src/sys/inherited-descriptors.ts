/** Descriptors that the program which started this one has left open. */
import fs from "node:fs";

const DESCRIPTORS = "/proc/self/fd";

/** The first descriptor that a service manager passes on purpose; see sd_listen_fds(3). */
const FIRST_PASSED = 3;

/**
 * Closes every descriptor above 2 that this process has inherited and does not need. It runs before the program opens
 * anything of its own. The ones of Node stay: they have no name, or are both ends of a pipe.
 *
 * @param kept descriptors that are needed
 * @param directory where Linux shows them; without /proc, such as in a small chroot, all stay open
 */
export function closeInherited(kept: readonly number[], directory = DESCRIPTORS): void {
  const found = fs.existsSync(directory) ? openDescriptors(directory) : [];
  const ends = new Map<string, number>();
  for (const { target } of found) ends.set(target, (ends.get(target) ?? 0) + 1);
  const passed = passedDescriptors(process.env);
  for (const { descriptor, target } of found) {
    if (descriptor <= 2 || kept.includes(descriptor) || passed.includes(descriptor)) continue;
    if (target.startsWith("anon_inode:")) continue;
    if (target.startsWith("pipe:") && (ends.get(target) ?? 0) > 1) continue;
    try {
      fs.closeSync(descriptor);
    } catch {
      // The one that the directory was read with is closed already.
    }
  }
}

function openDescriptors(directory: string): { descriptor: number; target: string }[] {
  return fs.readdirSync(directory).flatMap((name) => {
    try {
      return [{ descriptor: Number(name), target: fs.readlinkSync(`${directory}/${name}`) }];
    } catch {
      return [];
    }
  });
}

/** The descriptors that a service manager says it passes to this process. */
function passedDescriptors(environment: NodeJS.ProcessEnv): number[] {
  if (environment["LISTEN_PID"] !== String(process.pid)) return [];
  const count = Number(environment["LISTEN_FDS"] ?? 0);
  return Array.from({ length: count > 0 ? count : 0 }, (_, index) => FIRST_PASSED + index);
}
