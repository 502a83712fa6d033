/** The name of the process, as ps, pkill and service managers see it. */
import fs from "node:fs";

/** The kernel keeps 15 bytes of it. */
const NAME = "makuosan";

/**
 * Names the process. Without a name, its main thread has that of Node. The command line stays as it was given, so `ps` shows the
 * options: process.title would replace it.
 */
export function nameProcess(): void {
  try {
    fs.writeFileSync("/proc/self/comm", NAME);
  } catch {
    // If /proc cannot be written, the name is worth more than the options.
    process.title = NAME;
  }
}
