/** The two digits of each byte, made once, because node ids are read from every message. */
const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Formats bytes as lower-case hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; index++) text += DIGITS[bytes[index] as number];
  return text;
}

/** The bytes of an even number of hexadecimal digits. */
export function bytesOfHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length >> 1);
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = parseInt(text.slice(index * 2, index * 2 + 2), 16);
  return bytes;
}
