/** The two digits of each byte. Names of nodes are read from every message: making them anew takes longer than the rest. */
const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Bytes as lower-case hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index++) text += DIGITS[bytes[index] as number];
  return text;
}

/** The bytes of an even number of hexadecimal digits. */
export function bytesOfHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = 16 * valueOf(text.charCodeAt(2 * index)) + valueOf(text.charCodeAt(2 * index + 1));
  }
  return bytes;
}

/** The value of a digit, of either case: those of letters begin at 0x41 and 0x61. */
function valueOf(digit: number): number {
  return digit < 0x40 ? digit - 0x30 : (digit & 0x1f) + 9;
}
