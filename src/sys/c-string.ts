const LONGEST_BYTES = 4096;

const bytes = Buffer.from(new SharedArrayBuffer(LONGEST_BYTES + 1));

/** A byte string without NUL as C wants it, in memory that the next call of this function uses again. */
export function cString(text: string): Buffer {
  if (text.length > LONGEST_BYTES) throw new Error("a name is too long for the system");
  bytes[bytes.write(text, 0, text.length, "latin1")] = 0;
  return bytes;
}
