/** The table of control messages: number, encoder, decoder. */
import { ByteReader, ByteWriter, DecodeError } from "../base/bytes.ts";
import { CONTROL_PLAINTEXT_BYTES } from "./datagram.ts";
import * as catchUp from "./catch-up-messages.ts";
import * as membership from "./membership-messages.ts";
import * as examination from "./examination-messages.ts";
import * as findings from "./findings.ts";
import { decodeStatus, encodeStatus, type Status } from "./status-message.ts";
import * as transfer from "./transfer-messages.ts";

/** A control message: its type and its fields (PROTOCOL.md 3). */
export type ControlMessage =
  | { readonly type: "hello"; readonly body: membership.Presence }
  | { readonly type: "alive"; readonly body: membership.Presence }
  | { readonly type: "exit"; readonly body: null }
  | { readonly type: "challenge"; readonly body: membership.Challenge }
  | { readonly type: "response"; readonly body: membership.Response }
  | { readonly type: "old-challenge"; readonly body: membership.OldChallenge }
  | { readonly type: "old-response"; readonly body: membership.OldResponse }
  | { readonly type: "keys"; readonly body: membership.Keys }
  | { readonly type: "offer"; readonly body: transfer.Offer }
  | { readonly type: "progress"; readonly body: transfer.Progress }
  | { readonly type: "status"; readonly body: Status }
  | { readonly type: "commit"; readonly body: transfer.Commit }
  | { readonly type: "abort"; readonly body: transfer.Abort }
  | { readonly type: "inquiry"; readonly body: findings.Inquiry }
  | { readonly type: "findings"; readonly body: findings.Findings }
  | { readonly type: "order"; readonly body: transfer.Order }
  | { readonly type: "query"; readonly body: transfer.Query }
  | { readonly type: "relay"; readonly body: transfer.Relay }
  | { readonly type: "yield"; readonly body: transfer.Yield }
  | CatchUpMessage
  | ExaminationMessage;

/** The messages by which members compare and serve what was published (PROTOCOL.md 9). */
export type CatchUpMessage =
  | { readonly type: "log"; readonly body: catchUp.Log }
  | { readonly type: "fetch"; readonly body: catchUp.Fetch }
  | { readonly type: "piece"; readonly body: catchUp.Piece }
  | { readonly type: "ask"; readonly body: catchUp.Ask }
  | { readonly type: "answer"; readonly body: catchUp.Answer }
  | { readonly type: "served"; readonly body: catchUp.Served }
  | { readonly type: "nudge"; readonly body: null };

/** The messages of an examination (PROTOCOL.md 4.4). */
export type ExaminationMessage =
  | { readonly type: "probe"; readonly body: examination.Probe }
  | { readonly type: "inspect"; readonly body: examination.Inspect }
  | { readonly type: "condition"; readonly body: examination.Condition };

/** Whether a message belongs to an examination, and to no transfer. */
export function isExamination(message: ControlMessage): message is ExaminationMessage {
  return message.type === "probe" || message.type === "inspect" || message.type === "condition";
}

type MessageType = ControlMessage["type"];
type BodyOf<Type extends MessageType> = Extract<ControlMessage, { type: Type }>["body"];

interface Codec<Type extends MessageType> {
  readonly number: number;
  readonly encode: (writer: ByteWriter, body: BodyOf<Type>) => void;
  readonly decode: (reader: ByteReader) => BodyOf<Type>;
}

/** One table for all message types: the number on the wire, and the functions that write and read the body. */
const CODECS: { readonly [Type in MessageType]: Codec<Type> } = {
  hello: { number: 1, encode: membership.encodePresence, decode: membership.decodePresence },
  alive: { number: 2, encode: membership.encodePresence, decode: membership.decodePresence },
  exit: { number: 3, encode: () => undefined, decode: () => null },
  "old-challenge": {
    number: 4,
    encode: membership.encodeOldChallenge,
    decode: membership.decodeOldChallenge,
  },
  "old-response": { number: 5, encode: membership.encodeOldResponse, decode: membership.decodeOldResponse },
  challenge: { number: 6, encode: membership.encodeChallenge, decode: membership.decodeChallenge },
  response: { number: 7, encode: membership.encodeResponse, decode: membership.decodeResponse },
  keys: { number: 8, encode: membership.encodeKeys, decode: membership.decodeKeys },
  offer: { number: 16, encode: transfer.encodeOffer, decode: transfer.decodeOffer },
  progress: { number: 17, encode: transfer.encodeProgress, decode: transfer.decodeProgress },
  status: { number: 18, encode: encodeStatus, decode: decodeStatus },
  commit: { number: 19, encode: transfer.encodeOrder, decode: transfer.decodeOrder },
  abort: { number: 20, encode: transfer.encodeAbort, decode: transfer.decodeAbort },
  inquiry: { number: 21, encode: findings.encodeInquiry, decode: findings.decodeInquiry },
  findings: { number: 22, encode: findings.encodeFindings, decode: findings.decodeFindings },
  order: { number: 23, encode: transfer.encodeOrder, decode: transfer.decodeOrder },
  query: { number: 24, encode: transfer.encodeQuery, decode: transfer.decodeQuery },
  relay: { number: 25, encode: transfer.encodeRelay, decode: transfer.decodeRelay },
  yield: { number: 26, encode: transfer.encodeYield, decode: transfer.decodeYield },
  log: { number: 30, encode: catchUp.encodeLog, decode: catchUp.decodeLog },
  fetch: { number: 31, encode: catchUp.encodeFetch, decode: catchUp.decodeFetch },
  piece: { number: 32, encode: catchUp.encodePiece, decode: catchUp.decodePiece },
  ask: { number: 33, encode: catchUp.encodeAsk, decode: catchUp.decodeAsk },
  answer: { number: 34, encode: catchUp.encodeAnswer, decode: catchUp.decodeAnswer },
  served: { number: 35, encode: catchUp.encodeServed, decode: catchUp.decodeServed },
  nudge: { number: 36, encode: () => undefined, decode: () => null },
  probe: { number: 27, encode: examination.encodeProbe, decode: examination.decodeProbe },
  inspect: { number: 28, encode: examination.encodeInspect, decode: examination.decodeInspect },
  condition: { number: 29, encode: examination.encodeCondition, decode: examination.decodeCondition },
};

const TYPE_OF_NUMBER = new Map(
  Object.entries(CODECS).map(([type, codec]) => [codec.number, type as MessageType] as const),
);

/** The plaintext of a control message: its number, then its body. */
export function encodeMessage(message: ControlMessage): Uint8Array {
  const writer = new ByteWriter(CONTROL_PLAINTEXT_BYTES);
  // The table pairs every type with its own body; TypeScript cannot follow that through a union.
  const codec = CODECS[message.type] as Codec<MessageType>;
  writer.u8(codec.number);
  codec.encode(writer, message.body);
  return writer.written();
}

/**
 * Reads a control message.
 *
 * @throws DecodeError for anything else, also for bytes after its end
 */
export function decodeMessage(plaintext: Uint8Array): ControlMessage {
  const reader = new ByteReader(plaintext);
  const type = TYPE_OF_NUMBER.get(reader.u8());
  if (type === undefined) throw new DecodeError("unknown message type");
  const body = CODECS[type].decode(reader);
  reader.expectEnd();
  return { type, body } as ControlMessage;
}

/**
 * The node info in a HELLO or ALIVE of another version. In every version these two have their number and begin with the node
 * info of today; more may follow (PROTOCOL.md 3).
 *
 * @returns undefined for anything else
 */
export function announcedInfo(plaintext: Uint8Array): membership.NodeInfo | undefined {
  try {
    const reader = new ByteReader(plaintext);
    const number = reader.u8();
    if (number !== CODECS.hello.number && number !== CODECS.alive.number) return undefined;
    return membership.decodeNodeInfo(reader);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  }
}
