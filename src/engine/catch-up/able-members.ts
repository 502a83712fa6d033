/** Members, as the parts that catch up see them. */
import { PROTOCOL_VERSION } from "../../wire/limits.ts";
import type { ControlMessage } from "../../wire/message.ts";
import type { Effect, Member } from "../types.ts";
import type { Addressee } from "./scopes.ts";

/** Whether a member knows the messages about logs. */
export function isAbleToCompare(member: Member): boolean {
  return member.info.protocol >= PROTOCOL_VERSION;
}

export function addresseeOf({ info, address }: Member): Addressee {
  return { hostName: info.hostName, ip: address.ip, labels: info.labels };
}

export function sendTo(effects: Effect[], { address }: Member, message: ControlMessage): void {
  effects.push({ kind: "send", destination: { to: "address", address }, message });
}
