import path from "node:path";
import type { Host } from "../support/host.ts";

/** The loader of TypeScript sources resolves these inside any namespace: all see the same file system. */
const SOURCES = path.join(import.meta.dirname, "../../src");

/** How long a knock waits for an answer: a candidate is challenged within some 20 ms. */
const PATIENCE_MS = 700;

/** Says HELLO as a new node does, several times, and prints what comes back. */
const PROGRAM = `
const dgram = require("node:dgram"), crypto = require("node:crypto");
const [from, port, to] = process.argv.slice(1);
Promise.all([import(${JSON.stringify(path.join(SOURCES, "net/sealing.ts"))}),
  import(${JSON.stringify(path.join(SOURCES, "wire/message.ts"))})]).then(([{ ControlSealer, FleetKey }, { encodeMessage }]) => {
  const hex = (bytes) => crypto.randomBytes(bytes).toString("hex");
  const sealer = new ControlSealer(new FleetKey(undefined), hex(16), hex(8));
  const info = { hostName: "stranger", version: "2.0.0", protocol: 3, receives: true, sends: true, labels: [] };
  const socket = dgram.createSocket({ type: "udp4", reuseAddr: true });
  socket.on("message", (bytes) => { if (bytes[0] === 0x4d) { console.log("answered"); process.exit(0); } });
  socket.bind(Number(port), from, () => {
    if (to.startsWith("224.")) { socket.setMulticastInterface(from); }
    for (let n = 0; n < 3; n++) socket.send(sealer.seal(encodeMessage({ type: "hello", body: { info } })), 5000, to);
    setTimeout(() => { console.log("silence"); process.exit(0); }, ${PATIENCE_MS});
  });
});`;

/** Whether a daemon answers a stranger without a key, who sends from an address and port of a host. */
export async function knock(host: Host, from: string, to: string, port = 5000): Promise<string> {
  const { stdout, stderr } = await host.run(process.execPath, ["-e", PROGRAM, from, String(port), to]);
  return `${stdout}${stderr.replace(/.*Warning.*\n|.*trace-warnings.*\n/g, "")}`.trim();
}
