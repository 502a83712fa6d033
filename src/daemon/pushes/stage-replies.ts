/** Passes on the replies of the staging thread: to the log, the history, the hooks and the event pump. */
import { sentence, sentenceOf } from "../../base/reason.ts";
import { quoteWord } from "../../base/words.ts";
import { inboundName } from "../../engine/types.ts";
import type { StageAnswer, StageReply } from "../disk/messages.ts";
import type { CatchUpKeeper } from "../catch-up/catch-up-keeper.ts";
import type { Driver } from "../pump/driver.ts";
import type { Log } from "../service/log.ts";
import type { Hooks } from "./hooks.ts";
import type { ReceivedTransfers } from "./received.ts";

/** The parts that hear of replies. */
export interface StageHearers {
  readonly log: Log;
  readonly received: Pick<ReceivedTransfers, "onStage">;
  readonly hooks: Pick<Hooks, "hold">;
  readonly catchUp: Pick<CatchUpKeeper, "hold" | "judged" | "noteKept"> & {
    readonly finished: Pick<CatchUpKeeper["finished"], "noteAreas">;
  };
  readonly driver: Pick<Driver, "onStage">;
}

/**
 * Passes on one bunch of replies.
 *
 * The driver gets the answers last. If a hook has to run first, or the log of publications has to be written, the driver gets
 * that answer when this has ended. No answer is held back by both.
 */
export function passStageReplies(replies: readonly StageReply[], hearers: StageHearers): void {
  const { log, received, hooks, catchUp, driver } = hearers;
  const answers: StageAnswer[] = [];
  for (const reply of replies) {
    if (reply.kind === "recovered") {
      logRecovery(log, reply);
      catchUp.finished.noteAreas(reply.undos);
      catchUp.noteKept(reply.kept);
    } else if (reply.kind === "left") logLeftover(log, reply);
    else if (reply.kind === "moved") logMoved(log, reply);
    else if (reply.kind === "strange") logStrange(log, reply);
    else if (reply.kind === "undo-areas") logUndoAreas(log, reply);
    else answers.push(catchUp.judged(reply));
  }
  const passed = answers.filter((answer) => {
    received.onStage(answer);
    const pass = (held: StageAnswer) => driver.onStage([held]);
    const isHeld = hooks.hold(answer, pass);
    return !catchUp.hold(answer, pass) && !isHeld;
  });
  driver.onStage(passed);
}

function logRecovery(log: Log, reply: Extract<StageReply, { kind: "recovered" }>): void {
  for (const { name, failure, isLeft } of reply.finished) {
    if (failure === undefined)
      log.warn(`the commit of transfer ${name} was interrupted, and is finished now`);
    else {
      const text = isLeft ? sentence("stays-as-it-is", sentenceOf(failure)) : sentenceOf(failure);
      log.error(`the commit of transfer ${name} was interrupted, and could not be finished: ${text}`);
    }
  }
  if (reply.failure !== undefined)
    log.error(`what an earlier run has left cannot be cleared away: ${sentenceOf(reply.failure)}`);
}

function logLeftover(log: Log, { inbound, failure }: Extract<StageReply, { kind: "left" }>): void {
  log.error(`what transfer ${inboundName(inbound)} has left cannot be removed: ${sentenceOf(failure)}`);
}

function logUndoAreas(
  log: Log,
  { dropped, why, path, failure }: Extract<StageReply, { kind: "undo-areas" }>,
): void {
  const names = `${dropped.length === 1 ? "transfer" : "transfers"} ${dropped.join(", ")}`;
  if (failure !== undefined && why !== "commit")
    log.error(`what was kept to take back a push cannot be removed: ${sentenceOf(failure)}`);
  if (dropped.length === 0) return;
  if (why === "space") log.warn(`${names} cannot be taken back any more: its space was needed`);
  else if (why === "bounds") log.info(`${names} cannot be taken back any more: see undo and undo-size`);
  else if (failure !== undefined) log.warn(`${names} cannot be taken back: ${sentenceOf(failure)}`);
  else if (path === "")
    log.warn(`${names} cannot be taken back: there was no room to keep what was replaced`);
  else if (path === undefined)
    log.warn(`${names} cannot be taken back: some of what was replaced could not be kept`);
  else log.warn(`${names} cannot be taken back: what was replaced at ${quoteWord(path)} could not be kept`);
}

function logMoved(log: Log, { from, to }: Extract<StageReply, { kind: "moved" }>): void {
  log.warn(
    `${from} was not makuosan's own, so nothing in it was used; it is ${to} now: ` +
      `see who made it, and remove it with 'rm -r ${quoteWord(to)}'`,
  );
}

function logStrange(log: Log, { path }: Extract<StageReply, { kind: "strange" }>): void {
  log.warn(
    `${path} is no part of a transfer, so it stays: see who put it there, and remove it with 'rm -r ${quoteWord(path)}'`,
  );
}
