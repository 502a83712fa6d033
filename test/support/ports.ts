import dgram from "node:dgram";
import net from "node:net";

/**
 * Ports on the loopback network that no other test on this machine has, and no other program: this process takes a block of
 * them, and has it until it ends.
 */

/** All are below the ports that the kernel gives to sockets without one of their own. */
const FIRST = 20_000;
const BLOCKS = 240;
const BLOCK_PORTS = 50;

let next = await takeBlock();
const end = next + BLOCK_PORTS;

/** A port that has not been used by this process. */
export function nextPort(): number {
  if (next === end) throw new Error(`a test has no more than ${BLOCK_PORTS} ports`);
  return next++;
}

async function takeBlock(): Promise<number> {
  for (let first = FIRST; first < FIRST + BLOCKS * BLOCK_PORTS; first += BLOCK_PORTS)
    if ((await lock(first)) && (await areFree(first))) return first;
  throw new Error("no ports are free for tests");
}

/** Holds a name that the kernel gives to one process only, and takes back when it ends; it is no file. */
function lock(first: number): Promise<boolean> {
  const holder = net.createServer();
  return isDone(holder, () => holder.listen({ path: `\0makuosan-test-ports-${first}` }).unref());
}

async function areFree(first: number): Promise<boolean> {
  for (let port = first; port < first + BLOCK_PORTS; port++) {
    const socket = dgram.createSocket("udp4");
    const isFree = await isDone(socket, () => socket.bind(port, "0.0.0.0"));
    if (isFree) socket.close();
    else return false;
  }
  return true;
}

/** Whether a socket gets its place. */
function isDone(socket: net.Server | dgram.Socket, begin: () => unknown): Promise<boolean> {
  return new Promise((resolve, reject) => {
    socket.once("listening", () => resolve(true));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    });
    begin();
  });
}
