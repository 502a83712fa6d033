/** Sends datagrams without waiting. */
import os from "node:os";
import { lastErrno, nativeFunction, type NativeFunction } from "./native.ts";
import { cutSendsInto, socketAddress } from "./udp-socket.ts";

// A number of the kernel's interface.
const MSG_DONTWAIT = 0x40;
/** How many addresses are kept in the kernel's form; chosen without measurement. */
const KEPT_ADDRESSES = 64;

/** The result of a send: the kernel has it, or the socket's buffer is full, or it failed. */
export type SendOutcome = "sent" | "busy" | { readonly errno: number };

/** Sends over a UDP socket at once, without waiting and without a callback for each send. */
export class DatagramWriter {
  private readonly descriptor: number;
  private readonly sendto: NativeFunction;
  private readonly addresses = new Map<string, Buffer>();
  /** The address of the last send: nearly always the group's. */
  private last: { ip: string; port: number; address: Buffer } = { ip: "", port: 0, address: Buffer.alloc(0) };

  private constructor(descriptor: number, sendto: NativeFunction) {
    this.descriptor = descriptor;
    this.sendto = sendto;
  }

  /** @returns undefined without the library */
  static create(descriptor: number): DatagramWriter | undefined {
    const sendto = nativeFunction("long sendto(int, const void *, size_t, int, const void *, uint32_t)");
    return sendto === undefined ? undefined : new DatagramWriter(descriptor, sendto);
  }

  /** Errors that say that a device or a kernel cannot split trains; all others are temporary. */
  static isSegmentingError(errno: number): boolean {
    const { EIO, EINVAL, EMSGSIZE, EOPNOTSUPP } = os.constants.errno;
    return [EIO, EINVAL, EMSGSIZE, EOPNOTSUPP].includes(errno);
  }

  /** Sets the length that longer sends are cut into; 0 for none. False if the kernel does not take it. */
  cutInto(segmentBytes: number): boolean {
    return cutSendsInto(this.descriptor, segmentBytes);
  }

  send(bytes: Uint8Array, ip: string, port: number): SendOutcome {
    const address = this.addressOf(ip, port);
    const sent = this.sendto(this.descriptor, bytes, bytes.length, MSG_DONTWAIT, address, address.length);
    if (sent === bytes.length) return "sent";
    const errno = lastErrno();
    return errno === os.constants.errno.EAGAIN || errno === os.constants.errno.ENOBUFS ? "busy" : { errno };
  }

  private addressOf(ip: string, port: number): Buffer {
    if (ip !== this.last.ip || port !== this.last.port) {
      this.last = { ip, port, address: this.lookUp(ip, port) };
    }
    return this.last.address;
  }

  private lookUp(ip: string, port: number): Buffer {
    const name = `${ip}:${port}`;
    let address = this.addresses.get(name);
    if (address === undefined) {
      if (this.addresses.size >= KEPT_ADDRESSES) this.addresses.clear();
      address = socketAddress(ip, port);
      this.addresses.set(name, address);
    }
    return address;
  }
}
