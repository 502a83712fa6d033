import type { DatagramHandler } from "../../src/net/datagram-handler.ts";
import type { Transport } from "../../src/net/transports/transport.ts";
import { DATAGRAM_BYTES } from "../../src/wire/limits.ts";

/** Transports without sockets: a second implementation of the interface, beside that of multicast. */

const PORT = 5000;
const GROUP_IP = "239.0.0.1";

/** Where the type stands in a datagram, and that of a fragment (PROTOCOL.md 2). */
const TYPE_POSITION = 2;
const FRAGMENT = 2;

/** Nodes that hear each other. Nothing is lost, and everything arrives in order at the next turn of the event loop. */
export class MemoryNetwork {
  private readonly transports = new Map<string, MemoryTransport>();

  open(ip: string): MemoryTransport {
    const transport = new MemoryTransport(this, ip);
    this.transports.set(ip, transport);
    return transport;
  }

  /** @param to the address of one node; undefined for all */
  deliver(from: MemoryTransport, to: string | undefined, bytes: Uint8Array): void {
    // A copy: the sender may use its memory again as soon as it is told.
    const copy = Buffer.from(bytes);
    for (const [ip, transport] of this.transports)
      if (transport !== from && (to === undefined || to === ip)) transport.take(copy, from.ip);
  }
}

export class MemoryTransport implements Transport {
  readonly ip: string;
  readonly group = { ip: GROUP_IP, port: PORT };
  readonly receiveBufferBytes = 1_000_000;
  readonly sendBufferBytes = 1_000_000;
  readonly droppedDatagrams = 0;
  readonly isOffloaded = false;
  readonly sendErrors = 0;
  readonly outsideMessages = 0;
  isJoined = true;
  datagramBytes = DATAGRAM_BYTES;
  /** What the node has asked of its transport, in order, but for what it has sent. */
  readonly calls: string[] = [];
  private readonly network: MemoryNetwork;
  private handler: DatagramHandler | undefined;
  private isExpecting = false;
  private waiting: { readonly bytes: Buffer; readonly ip: string }[] = [];
  private pendingSends = 0;

  constructor(network: MemoryNetwork, ip: string) {
    this.network = network;
    this.ip = ip;
  }

  listen(handler: DatagramHandler): void {
    this.handler = handler;
  }

  sendToGroup(datagram: Uint8Array): void {
    this.send(undefined, datagram, () => undefined);
  }

  sendToNode(datagram: Uint8Array, ip: string): void {
    this.send(ip, datagram, () => undefined);
  }

  sendTrainToGroup(train: Uint8Array, _datagramBytes: number, done: () => void): void {
    this.send(undefined, train, done);
  }

  expectTrains(isExpecting: boolean): void {
    if (isExpecting !== this.isExpecting) this.calls.push(isExpecting ? "expect trains" : "expect no trains");
    this.isExpecting = isExpecting;
    if (isExpecting) this.readTrains();
  }

  readTrains(): void {
    for (const { bytes, ip } of this.waiting.splice(0)) this.hand(bytes, ip);
  }

  rejoin(interfaceIp: string): Promise<void> {
    this.calls.push(`rejoin ${interfaceIp}`);
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    while (this.pendingSends > 0) await new Promise(setImmediate);
    this.calls.push("drained");
  }

  close(): void {
    this.calls.push("closed");
    this.handler = undefined;
  }

  /** Fragments that nobody expects wait, as in the buffer of a socket. */
  take(bytes: Buffer, ip: string): void {
    const isFragment = bytes[TYPE_POSITION] === FRAGMENT;
    if (isFragment && !this.isExpecting) this.waiting.push({ bytes, ip });
    else this.hand(bytes, ip);
  }

  get ownAddress() {
    return { ip: this.ip, port: PORT };
  }

  private hand(bytes: Buffer, ip: string): void {
    this.handler?.takeDatagrams(bytes, 0, bytes.length, ip, PORT);
  }

  private send(to: string | undefined, bytes: Uint8Array, done: () => void): void {
    this.pendingSends++;
    setImmediate(() => {
      this.network.deliver(this, to, bytes);
      this.pendingSends--;
      done();
    });
  }
}
