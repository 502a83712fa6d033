/** Finds the process at the other end of a UNIX socket (SO_PEERCRED). */
import type net from "node:net";
import { nativeFunction } from "./native.ts";

/** The process that connected, as the kernel recorded it at that moment; see unix(7). */
export interface PeerCredentials {
  /** 0 for a process that this one cannot see, such as one outside of its container. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

const SOL_SOCKET = 1;
/** The number on x86-64 and arm64, for which the program is built. */
const SO_PEERCRED = 17;

/** A struct ucred: three numbers of 32 bits. */
const CREDENTIALS_BYTES = 12;

/**
 * Asks the kernel for the process that has connected. The other end cannot lie about it.
 *
 * @param socket an accepted UNIX stream socket
 * @returns undefined if the kernel cannot be asked: the FFI library is missing, or the socket is closed already
 */
export function peerCredentials(socket: net.Socket): PeerCredentials | undefined {
  const descriptor = descriptorOf(socket);
  const getsockopt = nativeFunction("int getsockopt(int, int, int, void *, void *)");
  if (descriptor === undefined || getsockopt === undefined) return undefined;
  const answer = Buffer.alloc(CREDENTIALS_BYTES);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(CREDENTIALS_BYTES);
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, answer, length) !== 0) return undefined;
  if (length.readUInt32LE() !== CREDENTIALS_BYTES) return undefined;
  return { pid: answer.readInt32LE(0), uid: answer.readUInt32LE(4), gid: answer.readUInt32LE(8) };
}

/**
 * The descriptor of a socket. Node has no public way to it: the property is an internal one, which every version since
 * 0.12 has, and which is not deprecated for net.Socket. With a Node without it, no process is known.
 */
function descriptorOf(socket: net.Socket): number | undefined {
  const { _handle: handle } = socket as { readonly _handle?: { readonly fd?: unknown } | null };
  const descriptor = handle?.fd;
  return typeof descriptor === "number" && descriptor >= 0 ? descriptor : undefined;
}
