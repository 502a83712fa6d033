/** A node that keeps no log of publications. */
import { NO_LOG } from "../../wire/catch-up-messages.ts";
import type { ControlMessage } from "../../wire/message.ts";
import type { Effect, Member } from "../types.ts";
import { sendTo } from "./able-members.ts";

/** It says so to members that ask for its log, or want it to catch up: they would ask again and again (PROTOCOL.md 9.1). */
export class WithoutLog {
  private readonly effects: Effect[];

  constructor(effects: Effect[]) {
    this.effects = effects;
  }

  handle(member: Member, message: ControlMessage): void {
    const isAsked = (message.type === "log" && message.body.asks) || message.type === "nudge";
    if (isAsked) sendTo(this.effects, member, { type: "log", body: NO_LOG });
  }
}
