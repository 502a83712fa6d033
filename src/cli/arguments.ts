/** Arguments as the kernel has them, byte for byte. */
import fs from "node:fs";
import { bytesOfText } from "../base/display.ts";

/** Where Linux shows the arguments of this process. */
const COMMAND_LINE = "/proc/self/cmdline";

/**
 * The arguments of this process as byte strings. Node turns bytes that are not UTF-8 into question marks; the
 * kernel still has them as they were. Where /proc is not mounted, such as in a small chroot, those of Node have to do.
 *
 * @param args the arguments after the command's name, as Node has them
 */
export function rawArguments(args: readonly string[], commandLine = COMMAND_LINE): string[] {
  if (args.length === 0) return [];
  let all: string[];
  try {
    all = fs.readFileSync(commandLine, "latin1").split("\0").slice(0, -1);
  } catch {
    return args.map(bytesOfText);
  }
  // Something else may be mounted there.
  return all.length > args.length ? all.slice(-args.length) : args.map(bytesOfText);
}
