/** Reads the key file again at a reload, also after the privileges are dropped. */
import { type ChildProcess, spawn } from "node:child_process";
import { KEY_FILE_BYTES } from "../../base/key-lines.ts";
import { UserError } from "../../base/user-error.ts";
import { keysOf, readKeyFile, unreadableKeyFile } from "../../net/key-file.ts";
import { emptyBoundingSet } from "../../sys/process-hardening.ts";
import type { Settings } from "../settings/settings.ts";

/** Reads the keys as they are in the key file now. */
export interface KeyReader {
  /** @throws UserError if the file is not as it should be, or cannot be read */
  read(): Promise<Buffer[]>;
  stop(): void;
}

/**
 * Opens the way to the key file that is still there after the drop of privileges, for a reload. A daemon that becomes another
 * user keeps a process that reads it.
 */
export function openKeyReader({
  keyFile,
  identity,
}: Pick<Settings, "keyFile" | "identity">): KeyReader | undefined {
  if (keyFile === undefined) return undefined;
  const becomes = process.geteuid?.() === 0 && identity !== undefined && identity.uid !== 0;
  return becomes ? new KeyReaderProcess(keyFile) : directKeyReader(keyFile);
}

/** Reads the file directly, for a daemon that keeps the user that it was started as. */
export function directKeyReader(file: string): KeyReader {
  return {
    // Async, so that a refusal is one of the promise.
    read: async () => readKeyFile(file),
    stop: () => undefined,
  };
}

/** A key file is read in an instant; a disk that hangs must not hold the reload for ever. */
const PATIENCE_MS = 5_000;

/** The end of an answer. */
const END = ".";

/** Most characters of an answer: the file in base64, with its line ends, and the mode. */
const ANSWER_CHARACTERS = 2 * KEY_FILE_BYTES;

/**
 * For each line of the standard input, says the mode of the file in hexadecimal and its beginning in base64, or the code of an
 * error. Mode and bytes are those of one opened file. Anything but a regular file is not opened.
 */
const SCRIPT = `
while read -r _; do
  (
    [ -e "$1" ] || { echo ENOENT; exit 0; }
    [ -f "$1" ] || { stat -L -c %f "$1"; exit 0; }
    exec 3<"$1"
    stat -L -c %f /proc/self/fd/3 && head -c ${KEY_FILE_BYTES + 1} <&3 | base64
  ) 2>/dev/null || echo EACCES
  echo ${END}
done
`;

/**
 * A process that keeps the user which the daemon was started as, and does nothing but read the key file: the file may belong to
 * root alone, and the daemon becomes another user. It is a shell of one megabyte, because a second copy of this program would
 * take forty. It takes no words from the daemon, so nobody gets more from it than the key, which the daemon has anyway. It ends
 * with the daemon.
 */
export class KeyReaderProcess implements KeyReader {
  private readonly file: string;
  private readonly child: ChildProcess;
  private isBroken = false;
  private answer = "";
  private take: ((answer: string | undefined) => void) | undefined;

  /** To be made before the privileges are dropped, when the calling thread needs no further ones. */
  constructor(file: string) {
    this.file = file;
    // If the kernel allows it, the process has no capability: root may read what belongs to root.
    emptyBoundingSet();
    this.child = spawn("/bin/sh", ["-c", SCRIPT, "makuosan-key-reader", file], {
      cwd: "/",
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
      stdio: ["pipe", "pipe", "ignore"],
      // Signals of a terminal are for the daemon.
      detached: true,
    });
    this.child.on("error", () => this.fail());
    this.child.on("exit", () => this.fail());
    this.child.stdin?.on("error", () => this.fail());
    this.child.stdout?.setEncoding("latin1").on("data", (text: string) => this.hear(text));
    this.child.unref();
  }

  async read(): Promise<Buffer[]> {
    const answer = await this.ask();
    if (answer === undefined) {
      throw new UserError(
        `the key file ${this.file} cannot be read again, because the process that does it has ended: restart makuosan`,
      );
    }
    const [first = "", ...lines] = answer.split("\n");
    if (!/^[0-9a-f]+$/.test(first)) return this.readAsDaemon(first === "" ? "EIO" : first);
    const text = Buffer.from(lines.join(""), "base64").toString("latin1");
    return keysOf(this.file, parseInt(first, 16), text);
  }

  stop(): void {
    this.child.stdin?.end();
  }

  /**
   * Reads a file that the process cannot read: root without capabilities cannot read what belongs to the user of the daemon alone.
   *
   * @param code why the process cannot
   */
  private readAsDaemon(code: string): Buffer[] {
    try {
      return readKeyFile(this.file);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw unreadableKeyFile(this.file, code);
    }
  }

  /** The answer without its end; undefined if there is none. */
  private ask(): Promise<string | undefined> {
    if (this.isBroken) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      // A late answer would be taken for that to the next question.
      const patience = setTimeout(() => this.fail(), PATIENCE_MS);
      this.take = (answer) => {
        clearTimeout(patience);
        this.take = undefined;
        this.answer = "";
        resolve(answer);
      };
      this.child.stdin?.write("\n");
    });
  }

  private hear(text: string): void {
    if (this.take === undefined) return;
    this.answer += text;
    const end = this.answer.lastIndexOf(`${END}\n`);
    if (end !== -1) this.take?.(this.answer.slice(0, end));
    else if (this.answer.length > ANSWER_CHARACTERS) this.fail();
  }

  private fail(): void {
    this.isBroken = true;
    this.take?.(undefined);
    this.stop();
  }
}
