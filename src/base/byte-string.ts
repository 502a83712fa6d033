/**
 * Byte strings: names on Linux are bytes of any value but NUL and slash, and need not be UTF-8. Inside
 * makuosan such a name is a string in which every character is one byte (U+0000..U+00FF). It can be a key of a
 * Map, be compared, cut and put into JSON without loss. Only the outermost rooms (the file system, the terminal)
 * turn it into bytes or into text.
 */

const CHUNK = 4096;

/** The byte string of some bytes. */
export function byteStringOf(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return String.fromCharCode(...bytes);
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return text;
}

/** The bytes of a byte string; a character above U+00FF is an invariant broken by the caller and is cut to a byte. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index) & 0xff;
  return bytes;
}
