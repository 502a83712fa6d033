/** The paths that a transfer changes, in a file for the hooks. */
import fs from "node:fs";

const BUFFER_BYTES = 64 * 1024;

/** The paths that a transfer changes, in a file: each is followed by a NUL, which no name can have in it. */
export class ChangeList {
  private readonly file: Buffer;
  private readonly descriptor: number;
  private buffered: string[] = [];
  private bufferedBytes = 0;

  /** @param file a file that is made new, readable by its owner alone */
  constructor(file: Buffer) {
    this.file = file;
    this.descriptor = fs.openSync(file, "wx+", 0o600);
  }

  add(path: string): void {
    this.buffered.push(path, "\0");
    this.bufferedBytes += path.length + 1;
    if (this.bufferedBytes >= BUFFER_BYTES) this.flush();
  }

  /**
   * Makes it complete.
   *
   * @param isChanged looked at for each path, where not everything came as it was announced
   */
  finish(isChanged?: (path: string) => boolean): void {
    this.flush();
    if (isChanged === undefined) {
      this.close();
      return;
    }
    const paths = this.read();
    fs.unlinkSync(this.file);
    const changed = new ChangeList(this.file);
    for (const path of paths) if (isChanged(path)) changed.add(path);
    this.close();
    changed.finish();
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }

  private flush(): void {
    const bytes = Buffer.from(this.buffered.join(""), "latin1");
    for (let written = 0; written < bytes.length;) written += fs.writeSync(this.descriptor, bytes, written);
    this.buffered = [];
    this.bufferedBytes = 0;
  }

  private *read(): Generator<string> {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    let rest = "";
    for (let offset = 0; ;) {
      const bytes = fs.readSync(this.descriptor, buffer, 0, buffer.length, offset);
      if (bytes === 0) return;
      offset += bytes;
      const paths = (rest + buffer.toString("latin1", 0, bytes)).split("\0");
      rest = paths.pop() ?? "";
      yield* paths;
    }
  }
}
