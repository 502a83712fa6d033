/** A program that speaks another version of the protocol. */

/**
 * Says HELLO in another version of the protocol: header, key and seal are the same in all versions. Without a key, the packet
 * is noise after its header.
 */
export const OTHER_VERSION = `
const crypto = require("node:crypto"), dgram = require("node:dgram"), fs = require("node:fs");
const [own, version, keyFile] = process.argv.slice(1);
const nodeId = crypto.randomBytes(16), epoch = crypto.randomBytes(8);
let counter = 0n;
function hello() {
  const text = (one) => Buffer.concat([Buffer.from([one.length]), Buffer.from(one)]);
  const plain = Buffer.concat([Buffer.from([1, 3]), text("newer"), text("9.0.0+wire" + version), Buffer.from([0]),
    Buffer.from("something that version 3 does not know")]);
  const header = Buffer.alloc(40);
  header.set([0x4d, Number(version), 1, 0]);
  header.writeUInt16LE(40 + plain.length + 16, 4);
  header.set(epoch, 8);
  header.set(nodeId, 16);
  header.writeBigUInt64LE(++counter, 32);
  if (keyFile === "none") return Buffer.concat([header, crypto.randomBytes(plain.length + 16)]);
  const secret = Buffer.from(fs.readFileSync(keyFile, "latin1").trim(), "base64");
  const info = "makuosan 2 control " + nodeId.toString("hex");
  const key = Buffer.from(crypto.hkdfSync("sha256", secret, epoch, info, 32));
  const nonce = Buffer.concat([header.subarray(32, 40), Buffer.alloc(4)]);
  const cipher = crypto.createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}
const socket = dgram.createSocket("udp4");
socket.bind(5000, own, () => {
  socket.setMulticastInterface(own);
  for (let copy = 0; copy < 3; copy++) socket.send(hello(), 5000, "224.0.0.108");
  setTimeout(() => process.exit(0), 100);
});`;
