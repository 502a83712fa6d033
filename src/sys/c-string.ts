/** Strings and paths in the form of the C library. */

/** PATH_MAX of Linux. */
const LONGEST_BYTES = 4096;

const bytes = Buffer.from(new SharedArrayBuffer(LONGEST_BYTES + 1));

/** A byte string without NUL as a C string, in memory that the next call of this function uses again. */
export function cString(text: string): Buffer {
  if (text.length > LONGEST_BYTES) throw new Error("a name is too long for the system");
  // For names, which are short, this is faster than the method of Buffer.
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  bytes[text.length] = 0;
  return bytes;
}

/** A path as a C string, in memory of its own. */
export function cPath(path: Buffer): Buffer {
  return Buffer.concat([path, Buffer.alloc(1)]);
}

/** Whether C sees a byte string whole: each character is one byte, and none is NUL. */
export function isCText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index);
    if (character === 0 || character > 0xff) return false;
  }
  return true;
}
