/** Datagrams to the service manager and to syslog. */
import { nativeFunction } from "./native.ts";

// Numbers of the kernel's interface.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** Sends datagrams to a UNIX socket: the service manager's, or the system log's. */
export class UnixDatagram {
  private readonly descriptor: number;
  private readonly address: Buffer;

  private constructor(descriptor: number, address: Buffer) {
    this.descriptor = descriptor;
    this.address = address;
  }

  /** @returns undefined if such a socket cannot be made or the path is too long for one */
  static open(path: string): UnixDatagram | undefined {
    const name = Buffer.from(path);
    if (name.length === 0 || name.length > 107) return undefined;
    // A leading @ stands for the NUL of an abstract name.
    if (name[0] === 0x40) name[0] = 0;
    const descriptor = nativeFunction("int socket(int, int, int)")?.(
      AF_UNIX,
      SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
      0,
    );
    if (descriptor === undefined || descriptor < 0) return undefined;
    return new UnixDatagram(descriptor, Buffer.concat([Buffer.from([AF_UNIX, 0]), name]));
  }

  /** Sends one datagram; false if nobody receives it. */
  send(text: string): boolean {
    const bytes = Buffer.from(text);
    const sendto = nativeFunction("long sendto(int, const void *, size_t, int, const void *, uint32_t)");
    return (
      sendto?.(this.descriptor, bytes, bytes.length, 0, this.address, this.address.length) === bytes.length
    );
  }
}
