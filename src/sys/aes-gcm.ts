/** AES-256-GCM in place, by the OpenSSL inside Node. */
import { nativeFunction, type NativeFunction } from "./native.ts";

/**
 * AES-256-GCM in place, by the OpenSSL that is part of Node itself. A block of 62 KB takes 20 µs. With node:crypto it
 * takes four times as long, because each call allocates memory for its result.
 */

// Sizes of AES-256-GCM, and numbers of OpenSSL's interface.
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CTRL_GET_TAG = 0x10;
const CTRL_SET_TAG = 0x11;

interface Calls {
  readonly init: NativeFunction;
  readonly update: NativeFunction;
  readonly final: NativeFunction;
  readonly control: NativeFunction;
  /** One context serves all keys of a thread: each call sets its key. */
  readonly context: unknown;
}

let calls: Calls | undefined;
/** The key that the context holds, and its direction: most calls have those of the call before. */
let heldKey: Uint8Array | undefined;
let heldDirection = -1;
let hasTried = false;
/** OpenSSL writes the length of its output into it. */
const outLength = Buffer.alloc(4);
const rest = Buffer.alloc(TAG_BYTES);

/** Whether this thread can seal and open in place. */
export function hasNativeGcm(): boolean {
  return load() !== undefined;
}

/**
 * Seals bytes in place.
 *
 * @param tag 16 bytes, which are written
 */
export function sealInPlace(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  bytes: Uint8Array,
  tag: Uint8Array,
): void {
  checkSizes(key, nonce, tag);
  const { control, context } = begin(key, nonce, associated, 1);
  const isDone = transform(bytes) && control(context, CTRL_GET_TAG, TAG_BYTES, tag) === 1;
  if (!isDone) throw new Error("OpenSSL does not seal");
}

/**
 * Opens bytes in place.
 *
 * @returns false if they are not what was sealed; the contents of `bytes` are then worthless
 */
export function openInPlace(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  bytes: Uint8Array,
  tag: Uint8Array,
): boolean {
  checkSizes(key, nonce, tag);
  const { control, context } = begin(key, nonce, associated, 0);
  return control(context, CTRL_SET_TAG, TAG_BYTES, tag) === 1 && transform(bytes);
}

function begin(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, isSealing: 0 | 1): Calls {
  const loaded = load();
  if (loaded === undefined) throw new Error("OpenSSL cannot be called here");
  const { init, update, context } = loaded;
  const isHeld = heldDirection === isSealing && heldKey !== undefined && isEqual(heldKey, key);
  const hasBegun =
    init(context, null, null, isHeld ? null : key, nonce, isSealing) === 1 &&
    update(context, null, outLength, associated, associated.length) === 1;
  if (!hasBegun) throw new Error("OpenSSL does not take a key");
  if (!isHeld) heldKey = Uint8Array.from(key);
  heldDirection = isSealing;
  return loaded;
}

/** GCM produces as many bytes as it reads, so the result replaces the input. */
function transform(bytes: Uint8Array): boolean {
  const { update, final, context } = calls as Calls;
  return (
    (bytes.length === 0 || update(context, bytes, outLength, bytes, bytes.length) === 1) &&
    final(context, rest, outLength) === 1
  );
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 0; index < KEY_BYTES; index++) if (a[index] !== b[index]) return false;
  return true;
}

function checkSizes(key: Uint8Array, nonce: Uint8Array, tag: Uint8Array): void {
  const isRight = key.length === KEY_BYTES && nonce.length === NONCE_BYTES && tag.length === TAG_BYTES;
  if (!isRight) throw new Error("a key, a nonce or a tag of the wrong length");
}

function load(): Calls | undefined {
  if (!hasTried) calls = lookUp();
  hasTried = true;
  return calls;
}

function lookUp(): Calls | undefined {
  const init = nativeFunction(
    "int EVP_CipherInit_ex(void *, void *, void *, const void *, const void *, int)",
  );
  const update = nativeFunction("int EVP_CipherUpdate(void *, void *, void *, const void *, int)");
  const final = nativeFunction("int EVP_CipherFinal_ex(void *, void *, void *)");
  const control = nativeFunction("int EVP_CIPHER_CTX_ctrl(void *, int, int, void *)");
  const context = nativeFunction("void *EVP_CIPHER_CTX_new()")?.() as unknown;
  const cipher = nativeFunction("void *EVP_aes_256_gcm()")?.() as unknown;
  if (!init || !update || !final || !control || !context || !cipher) return undefined;
  return init(context, cipher, null, null, null, 1) === 1
    ? { init, update, final, control, context }
    : undefined;
}
