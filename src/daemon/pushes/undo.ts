/** Takes a push back on all hosts: `msync --undo`. */
import { reasonOf, sentence } from "../../base/reason.ts";
import { ExitStatus, UserError } from "../../base/user-error.ts";
import type { Event, HostVerdict, SendResult, UndoRequest } from "../../console/protocol.ts";
import type { NodeEngine } from "../../engine/node.ts";
import type { OwnTarget } from "../../engine/own-target.ts";
import type { Address } from "../../engine/types.ts";
import { chooseUndo, idOf } from "../../engine/catch-up/undo-choice.ts";
import type { PeerCredentials } from "../../sys/peer-credentials.ts";
import { PROTOCOL_VERSION } from "../../wire/limits.ts";
import type { Publication } from "../../wire/publication.ts";
import type { CatchUpKeeper } from "../catch-up/catch-up-keeper.ts";
import type { NodeIdentity } from "../service/node-identity.ts";
import type { Settings } from "../settings/settings.ts";
import type { Arrivals } from "./arrivals.ts";
import { byHostName, displayName } from "./host-names.ts";
import { pushedBy } from "./callers.ts";
import type { Asked, Transfers } from "./transfers.ts";

/** So long hosts may take to get the former files from another one. They ask for them at once, and all of them may have to be sent. */
const FOLLOW_MS = 60_000;

/**
 * A push that has just ended is not in the logs of all hosts: those that it was not for hear of it a second later. Then the undo is
 * repeated after so long, or as soon as the own log changes, and each further time after twice as long: for 15 s in all.
 */
const AGREE_FIRST_MS = 500;
const AGREE_LAST_MS = 8_000;

/**
 * The reasons of hosts that know of more than the sender did when it chose, or that something else has come first. With these, the
 * sender chooses again: then it knows that as well, and says what it is.
 */
const CHOOSE_AGAIN: readonly string[] = ["undo-other-log", "undo-crossed", "overtaken", "own-push"];

/** The parts that it works with. */
export interface UndoParts {
  readonly engine: Pick<NodeEngine, "catchUp" | "membership">;
  readonly catchUp: Pick<CatchUpKeeper, "state" | "stateOf" | "statusText" | "unlogged">;
  readonly transfers: Pick<Transfers, "takeBack" | "cancel">;
  readonly arrivals: Pick<Arrivals, "wait">;
  readonly identity: Pick<NodeIdentity, "nodeId" | "epoch">;
  readonly settings: Pick<Settings, "undo" | "hostName">;
  readonly transport: { readonly ownAddress: Address };
}

/**
 * Takes back a push on all its hosts together, and waits until those have the former files that get them from others.
 *
 * @throws UserError if it cannot begin
 */
export async function undo(
  parts: UndoParts,
  request: UndoRequest,
  caller: PeerCredentials | undefined,
  emit: (event: Event) => void,
  signal: AbortSignal,
): Promise<SendResult> {
  checkAble(parts);
  const tell = oncePerNote(emit);
  let { id } = request;
  for (let waitMs = AGREE_FIRST_MS; ; waitMs *= 2) {
    const transfer = new UndoTransfer(parts, waitMs <= AGREE_LAST_MS);
    const asked = () => {
      const undoes = choose(parts, id);
      // A repetition takes back the same push, or says what has come after it.
      id = idOf(undoes);
      return transfer.asked(undoes, request, caller, tell);
    };
    const result = await parts.transfers.takeBack(asked, signal);
    if (isUndone(result)) {
      await parts.arrivals.wait(() => transfer.isComplete, FOLLOW_MS, signal);
      return transfer.completed(result);
    }
    if (!transfer.isToBeRepeated(result) || signal.aborted) return unchanged(result);
    const digest = parts.engine.catchUp?.log.digest;
    await parts.arrivals.wait(() => parts.engine.catchUp?.log.digest !== digest, waitMs, signal);
  }
}

/** Whether a host has switched, or may have: also one that has failed in the middle of it has changed. */
function isUndone({ aborted, hosts }: SendResult): boolean {
  const isBefore = ({ outcome, cause }: HostVerdict) =>
    outcome === "failed" && (cause?.when ?? "before") === "before";
  return aborted === undefined && (hosts.length === 0 || !hosts.every(isBefore));
}

/** The result of an undo by which no host has switched: nothing was changed, whenever they have failed. */
function unchanged(result: SendResult): SendResult {
  const first = result.hosts.find(({ outcome }) => outcome === "failed");
  const why = first === undefined ? "" : `${first.host}: ${first.reason}`;
  return { ...result, aborted: result.aborted ?? why, exitStatus: ExitStatus.aborted };
}

/** Sends each note of a host once: a repetition brings the same ones, and one that is to come knows better than a host that is left out. */
function oncePerNote(emit: (event: Event) => void): (event: Event) => void {
  const told = new Set<string>();
  return (event) => {
    if (event.event === "member-failed" && CHOOSE_AGAIN.includes(event.cause?.code ?? "")) return;
    if (event.event === "note") {
      const text = `${event.host} ${event.path} ${event.reason}`;
      if (told.has(text)) return;
      told.add(text);
    }
    emit(event);
  };
}

/**
 * The transfer that takes a push back: all hosts switch, this one with them, or none. It names no paths, because each host knows its
 * own.
 */
class UndoTransfer {
  private readonly parts: UndoParts;
  private readonly mayRepeat: boolean;
  private number = 0;
  private hosts: ReadonlyMap<string, string> = new Map();
  /** What members lacked before it, as a hash, by their epochs. */
  private readonly lackedBefore = new Map<string, number>();
  /** The names of the hosts that get the former files from others. */
  private readonly followers = new Set<string>();

  /** @param mayRepeat whether another one follows if the logs of the hosts differ */
  constructor(parts: UndoParts, mayRepeat: boolean) {
    this.parts = parts;
    this.mayRepeat = mayRepeat;
  }

  /** Whether no host has switched, because they know of something that the sender did not know, and another one follows. */
  isToBeRepeated(result: SendResult): boolean {
    const isStale = result.hosts.some(({ cause }) => CHOOSE_AGAIN.includes(cause?.code ?? ""));
    return this.mayRepeat && isStale && !isUndone(result);
  }

  /** Whether all hosts that follow have the former files. */
  get isComplete(): boolean {
    return this.late.size === 0;
  }

  /** The result of the transfer, with those that do not have the former files yet. */
  completed(result: SendResult): SendResult {
    const { late } = this;
    const hosts = result.hosts.map((one) =>
      late.has(one.host) ? lateVerdict(one, late.get(one.host)) : one,
    );
    const isDone = late.size === 0 || result.exitStatus !== ExitStatus.ok;
    return { ...result, hosts, exitStatus: isDone ? result.exitStatus : ExitStatus.partial };
  }

  private get isOwnLate(): boolean {
    const { identity, engine } = this.parts;
    const { log } = engine.catchUp ?? {};
    const kept = log?.find({ nodeId: identity.nodeId, epoch: identity.epoch, number: this.number });
    return log !== undefined && log.missing.some((position) => log.all[position] === kept);
  }

  /** The hosts among the followers that are not current yet, with what they tell of the reason. */
  private get late(): ReadonlyMap<string, string | undefined> {
    const { catchUp, identity } = this.parts;
    const late = new Map<string, string | undefined>();
    for (const [epoch, host] of this.hosts) {
      if (!this.followers.has(host)) continue;
      if (epoch !== identity.epoch) {
        if (this.isLate(epoch)) late.set(host, catchUp.stateOf(epoch)?.reason);
      } else if (this.isOwnLate) late.set(host, catchUp.state?.reason);
    }
    return late;
  }

  /** Whether a member does not have the former files. One that lacked another push before, and lacks just that still, has them. */
  private isLate(epoch: string): boolean {
    const { membership, catchUp } = this.parts.engine;
    const told = catchUp?.tellings.heard(epoch);
    const hasThese = told?.behind === 0 || told?.lacks === this.lackedBefore.get(epoch);
    const isCurrent = told !== undefined && hasThese && told.digest === catchUp?.log.digest;
    return membership.memberOf(epoch) !== undefined && !isCurrent;
  }

  private noteStart(number: number, hosts: ReadonlyMap<string, string>): void {
    this.number = number;
    this.hosts = hosts;
    const { catchUp } = this.parts.engine;
    for (const epoch of hosts.keys()) {
      const told = catchUp?.tellings.heard(epoch);
      if (told?.digest === catchUp?.log.digest && told !== undefined)
        this.lackedBefore.set(epoch, told.lacks);
    }
  }

  /** This host, if the push was for it: it takes part as any other. */
  private ownTarget(undoes: Publication): OwnTarget | undefined {
    const { engine, identity, settings, transport } = this.parts;
    if (engine.catchUp?.log.isForSelf(undoes) !== true) return undefined;
    const { hostName } = settings;
    const { ownAddress: address } = transport;
    const isUnique = [...engine.membership.members].every(({ info }) => info.hostName !== hostName);
    const shown = isUnique ? hostName : `${hostName}(${address.ip})`;
    return { epoch: identity.epoch, hostName: shown, address };
  }

  asked(
    undoes: Publication,
    { detail, progress }: UndoRequest,
    caller: PeerCredentials | undefined,
    emit: (event: Event) => void,
  ): Asked {
    const { targets, excepts } = undoes.scope;
    const own = this.ownTarget(undoes);
    return {
      own,
      request: { ...UNDO_REQUEST, targets, excepts, detail, progress },
      undoes,
      groupOwner: undefined,
      by: pushedBy(caller),
      isToBeRepeated: (result) => this.isToBeRepeated(result),
      onStart: (number, hosts) => {
        this.noteStart(number, hosts);
        if (own === undefined) emit(notForSelf(this.parts.settings.hostName));
      },
      emit: (event) => {
        emit(event);
        this.noteFollower(event, undoes);
      },
    };
  }

  /** If hosts get the former files from others, one of the others must have them: all tell so before the barrier. */
  private noteFollower(event: Event, undoes: Publication): void {
    if (event.event !== "note" || event.cause?.code !== "undo-follows") return;
    this.followers.add(event.host);
    if (this.followers.size < this.hosts.size) return;
    this.parts.transfers.cancel(this.number, sentence("undo-nobody", idOf(undoes)));
  }
}

const UNDO_REQUEST = {
  command: "send",
  paths: [],
  recursive: false,
  dryRun: false,
  allOrNothing: true,
  group: "",
  excludes: [],
  deletes: "nothing",
  syncs: false,
  isForced: true,
  comparesContents: false,
  isCheck: false,
  sendsAttributes: false,
} as const;

/** @throws UserError if this host takes nothing back */
function checkAble({ settings, catchUp, engine }: UndoParts): void {
  if (settings.undo === 0)
    throw new UserError(
      "this host keeps nothing to take a push back: set 'undo = 10' in /etc/makuosan.conf on every host, and reload makuosan; " +
        "pushes from then on can be taken back",
      ExitStatus.aborted,
    );
  if (catchUp.state === undefined)
    throw new UserError(
      `this host cannot take a push back, because it does not know which there were: ${catchUp.statusText}`,
      ExitStatus.aborted,
    );
  const members = [...engine.membership.members].sort(byHostName);
  const old = members.filter(({ info }) => info.protocol < PROTOCOL_VERSION);
  if (old.length === 0) return;
  const names = old.map((member) => displayName(member, members)).join(", ");
  throw new UserError(
    `${names} cannot take a push back, because makuosan is too old there: update it, and repeat the command`,
    ExitStatus.aborted,
  );
}

/** @throws UserError if nothing can be taken back by this id */
function choose({ engine, catchUp }: UndoParts, id: string): Publication {
  const { log } = engine.catchUp ?? {};
  const known = [...(log?.former ?? []), ...(log?.all ?? [])].map(({ publication }) => publication);
  const choice = chooseUndo(known, id);
  switch (choice.kind) {
    case "chosen":
      if (id !== "" || !catchUp.unlogged.isAfter(choice.publication)) return choice.publication;
      throw new UserError(
        "the last push cannot be taken back, because it is not in the log: a host of version 2.0 had a part in it, or it had more than " +
          `16 KB of exclude patterns; the one before it is ${idOf(choice.publication)}`,
        ExitStatus.aborted,
      );
    case "nothing":
      throw new UserError(
        "there is no push that could be taken back: 'msync --history -v' lists the last ones with their ids",
        ExitStatus.aborted,
      );
    case "unknown":
      throw new UserError(
        `no push has the id ${id}: 'msync --history -v' lists the last ones with their ids`,
        ExitStatus.aborted,
      );
    case "ambiguous":
      throw new UserError(
        `${choice.count} pushes have an id that begins with ${id}: give more of it`,
        ExitStatus.aborted,
      );
    case "undone":
      throw new UserError(
        `push ${idOf(choice.publication)} was taken back already: 'msync --undo ${idOf(choice.by)}' brings it again`,
        ExitStatus.aborted,
      );
    case "followed":
      throw new UserError(
        `push ${idOf(choice.by)} from ${choice.by.host} came after push ${idOf(choice.publication)} and has some of the same paths: ` +
          `take that back first with 'msync --undo ${idOf(choice.by)}'`,
        ExitStatus.aborted,
      );
  }
}

/** This host is none of those that the push was for. */
function notForSelf(host: string): Event {
  const why = sentence("undo-not-for");
  return { event: "note", host, path: "", reason: why, cause: reasonOf(why) };
}

function lateVerdict(host: HostVerdict, known: string | undefined): HostVerdict {
  const why = sentence("undo-behind", known ?? "");
  return { ...host, outcome: "failed", reason: why, cause: reasonOf(why), catchesUp: true };
}
