/** When the hook programs run, and which facts they are told. */
import { type Reason, reason } from "../../base/reason.ts";
import fs from "node:fs";
import path from "node:path";
import { bytesOfText } from "../../base/display.ts";
import { openOwnFile } from "../../sys/own-files.ts";
import { inboundName, type NodeEvent } from "../../engine/types.ts";
import { STAGING_NAME } from "../../wire/path-rules.ts";
import type { StageAnswer } from "../disk/messages.ts";
import { HookProcess } from "./hook-process.ts";
import type { HookSettings } from "../settings/hook-settings.ts";
import type { Log } from "../service/log.ts";

type HookName = "pre-commit" | "post-commit";

/** Whether it brings what this host has missed, takes a push back, or is a push, as hooks hear it. */
const KINDS = { publication: "push", undo: "undo", "catch-up": "catch-up" } as const;

/** A transfer that is being received. */
interface Incoming {
  readonly name: string;
  /** Of this admission. Answers about an earlier one of the same transfer are none about this. */
  readonly admission: number;
  readonly sender: string;
  /** The list of changed paths, opened for each hook, so that it can be read when the area is gone. */
  lists: Partial<Record<HookName, fs.promises.FileHandle>>;
  entries: number;
  kind: keyof typeof KINDS;
  isEnded: boolean;
  commit: { readonly failure: Reason | undefined } | undefined;
}

/**
 * Runs the programs that a member has for each transfer that changes something there. `pre-commit` runs when everything is
 * staged and durable; the member says READY only after it has succeeded. `post-commit` runs when the switch is durable and
 * the member has said DONE, so that no other host waits for it.
 */
export class Hooks {
  private settings: HookSettings;
  private readonly base: string;
  private readonly log: Log;
  private readonly incoming = new Map<string, Incoming>();
  private readonly running = new Map<HookProcess, string>();
  private readonly stagingOwner: number;

  /** @param stagingOwner the user to whom BASE/.makuosan belongs */
  constructor(settings: HookSettings, base: string, log: Log, stagingOwner: number) {
    this.settings = settings;
    this.stagingOwner = stagingOwner;
    this.base = base;
    this.log = log;
  }

  /** Other programs run from now on, those of transfers that are under way as well. */
  change(settings: HookSettings): void {
    this.settings = settings;
  }

  /** How many programs are running. */
  get count(): number {
    return this.running.size;
  }

  /**
   * Looks at an answer of the staging thread.
   *
   * @param pass called with the answer when the hook has ended, if the answer was held back
   * @returns whether it is held back
   */
  hold(reply: StageAnswer, pass: (reply: StageAnswer) => void): boolean {
    const known = this.incoming.get(inboundName(reply.inbound));
    const incoming = known?.admission === reply.inbound.admission ? known : undefined;
    if (reply.kind === "committed" && incoming !== undefined) incoming.commit = { failure: reply.failure };
    if (reply.kind !== "prepared" || incoming === undefined || reply.changes === undefined) return false;
    incoming.entries = reply.totals.entries;
    incoming.kind = reply.origin?.kind ?? "publication";
    void this.preCommit(incoming, reply.changes).then((failure) => pass({ ...reply, failure }));
    return true;
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    if (event.kind === "own-stage-began" || (event.kind === "inbound-began" && !event.dryRun)) {
      const name = inboundName(event.key);
      const { admission } = event.key;
      const fresh = {
        admission,
        lists: {},
        entries: 0,
        kind: "publication" as const,
        isEnded: false,
        commit: undefined,
      };
      this.incoming.set(name, { name, sender: event.hostName, ...fresh });
    } else if (event.kind === "inbound-ended" || event.kind === "own-stage-ended") {
      const incoming = this.incoming.get(inboundName(event.key));
      if (incoming !== undefined) this.end(incoming);
    }
  }

  /** Ends every program that still runs, because the daemon does. */
  stop(): void {
    for (const hook of this.running.keys()) hook.kill("was ended because the daemon is stopping");
  }

  private end(incoming: Incoming): void {
    incoming.isEnded = true;
    this.incoming.delete(incoming.name);
    for (const [hook, name] of this.running)
      if (name === incoming.name) hook.kill("was ended, because the transfer is over");
    const { commit } = incoming;
    // The engine says DONE next, and that goes out first.
    setImmediate(() => void this.postCommit(incoming, commit));
  }

  /** @returns why it failed; undefined after a success */
  private async preCommit(incoming: Incoming, changes: readonly string[]): Promise<Reason | undefined> {
    const { preCommit, postCommit } = this.settings;
    try {
      if (preCommit !== undefined) incoming.lists["pre-commit"] = await this.openList(changes);
      if (postCommit !== undefined) incoming.lists["post-commit"] = await this.openList(changes);
    } catch (error) {
      await this.closeLists(incoming);
      return reason("changes-unreadable", undefined, String((error as NodeJS.ErrnoException).code));
    }
    if (incoming.isEnded) {
      // The transfer is over: no answer is wanted any more.
      await this.closeLists(incoming);
      return undefined;
    }
    const failure = await this.run("pre-commit", preCommit, incoming, {});
    return failure === undefined ? undefined : reason("pre-commit", undefined, bytesOfText(failure));
  }

  /** The owner of the base directory could put a link to another file in the place of the list. */
  private async openList(changes: readonly string[]): Promise<fs.promises.FileHandle> {
    const descriptor = openOwnFile(this.base, changes, this.stagingOwner);
    try {
      return await fs.promises.open(`/proc/self/fd/${descriptor}`);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  private async postCommit(incoming: Incoming, commit: Incoming["commit"]): Promise<void> {
    if (commit !== undefined) {
      const result = commit.failure === undefined ? "done" : "failed";
      await this.run("post-commit", this.settings.postCommit, incoming, { MAKUOSAN_RESULT: result });
    }
    await this.closeLists(incoming);
  }

  private async run(
    name: HookName,
    program: string | undefined,
    incoming: Incoming,
    facts: Record<string, string>,
  ): Promise<string | undefined> {
    const list = incoming.lists[name];
    if (program === undefined || list === undefined) return undefined;
    const log = this.log.child({ transfer: incoming.name });
    const hook = new HookProcess({
      program,
      environment: { ...this.environment(name, incoming), ...facts },
      input: list.fd,
      account: this.settings.account,
      timeoutMs: this.settings.timeoutMs,
      onLine: (line) => log.info(bytesOfText(`${name}: ${line}`)),
    });
    this.running.set(hook, incoming.name);
    const failure = await hook.ended;
    this.running.delete(hook);
    if (failure !== undefined) log.error(bytesOfText(`the ${name} hook ${failure}`));
    return failure;
  }

  private environment(name: HookName, incoming: Incoming): Record<string, string> {
    const inherited: Record<string, string> = {};
    // No variable of the service manager: with those a hook could speak for the daemon.
    for (const variable of ["PATH", "LANG", "LC_ALL", "TZ"]) {
      const value = process.env[variable];
      if (value !== undefined) inherited[variable] = value;
    }
    return {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...inherited,
      MAKUOSAN_HOOK: name,
      MAKUOSAN_TRANSFER: incoming.name,
      MAKUOSAN_SENDER: incoming.sender,
      MAKUOSAN_KIND: KINDS[incoming.kind],
      MAKUOSAN_BASE: this.base,
      MAKUOSAN_STAGING: path.join(this.base, STAGING_NAME, incoming.name, "tree"),
      MAKUOSAN_ENTRIES: String(incoming.entries),
    };
  }

  private async closeLists(incoming: Incoming): Promise<void> {
    const { lists } = incoming;
    incoming.lists = {};
    for (const list of Object.values(lists)) await list.close();
  }
}
