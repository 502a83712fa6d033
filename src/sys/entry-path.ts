/** The bytes of a byte string, as the file system calls want them. */
export function bytesOfPath(path: string): Buffer {
  return Buffer.from(path, "latin1");
}

/** The path of an entry by the descriptor of its directory, for calls that take only paths. */
export function entryPath(directory: number, name: string): Buffer {
  return bytesOfPath(`/proc/self/fd/${directory}/${name}`);
}
