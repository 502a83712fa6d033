/** The interface between a node and its network: each transport in this folder is one implementation of it. */
import type { DatagramHandler } from "../datagram-handler.ts";

/**
 * Carries the datagrams of a node (PROTOCOL.md 1 and 2). The event pump sends through it and knows no socket.
 *
 * A transport may lose datagrams, deliver them twice or in another order, and hand a node its own ones: the protocol above
 * it deals with all of that.
 *
 * To add a transport: implement this interface in a file of this folder, and open it in
 * src/daemon/privileged-parts.ts, the only place that names an implementation.
 */
export interface Transport {
  /** The address that stands for all nodes. People see it in the log and in `msync --status`. */
  readonly group: { readonly ip: string; readonly port: number };

  /** The address that this node sends from; another one after rejoin(). */
  readonly ownAddress: { readonly ip: string; readonly port: number };

  /**
   * Bytes that may arrive before they are read, in the kernel's own count. The node tells its senders a window of blocks
   * that this buffer can hold.
   */
  readonly receiveBufferBytes: number;

  /** Bytes that the kernel granted for what is to be sent, in its own count. */
  readonly sendBufferBytes: number;

  /** Datagrams that were lost since the start because a receive buffer was full, in the count of the whole host. */
  readonly droppedDatagrams: number;

  /** The longest datagram that goes over the interface in one packet, as it is now; never more than DATAGRAM_BYTES. */
  readonly datagramBytes: number;

  /** Whether trains go out in one call, for `msync --status`. */
  readonly isOffloaded: boolean;

  /** Sends that failed since the start; their datagrams count as lost on the way. */
  readonly sendErrors: number;

  /** Messages that were dropped since the start because no node of this network can have sent them. */
  readonly outsideMessages: number;

  /**
   * From now on the transport hands over what arrives. Anything that came before is lost, as on any network.
   *
   * @param onError called with errors that are reported apart from any send
   */
  listen(handler: DatagramHandler, onError: (error: Error) => void): void;

  /** Sends one datagram to all nodes. Its memory must not change afterwards. */
  sendToGroup(datagram: Uint8Array): void;

  /** Sends one datagram to one node, at the address that its datagrams come from. Its memory must not change afterwards. */
  sendToNode(datagram: Uint8Array, ip: string, port: number): void;

  /**
   * Sends fragments to all nodes. They lie side by side, all but the last of one length.
   *
   * @param datagramBytes that length
   * @param done called once when the memory of the train may change; also if the send has failed
   */
  sendTrainToGroup(train: Uint8Array, datagramBytes: number, done: () => void): void;

  /**
   * Says whether this node receives transfers. A transport may let fragments wait in a buffer while it does not, and
   * hands them over all the time while it does.
   */
  expectTrains(isExpecting: boolean): void;

  /**
   * Hands over the fragments that have arrived by now. The node calls it before it takes in what a sender says of its
   * blocks, so that no fragment counts as missing that only has not been read.
   */
  readTrains(): void;

  /**
   * Whether this node still hears the group: false if the kernel has ended the membership, for example because the
   * interface was deleted and made again. Then rejoin() is due.
   */
  readonly isJoined: boolean;

  /**
   * Connects the node again after its interface was away or got another address.
   *
   * @param interfaceIp the address that the interface has now
   * @throws UserError if the address or the group cannot be used
   */
  rejoin(interfaceIp: string): Promise<void>;

  /** Waits until the kernel has taken everything that was to be sent. */
  drain(): Promise<void>;

  /** Sends nothing more, hands over nothing more, and gives its sockets back. */
  close(): void;
}
