/** The bytes of a byte string, for file system calls. */
export function bytesOfPath(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** The path of an entry through the descriptor of its directory, for calls that accept only paths. */
export function entryPath(directory: number, name: string): Buffer {
  return bytesOfPath(`/proc/self/fd/${directory}/${name}`);
}
