/** What is in the way between this node and others that are heard: one record, by kind and source. */
import type { FoundProblem, NodeEvent, Problem, ProblemKind } from "../types.ts";
import * as times from "./times.ts";

/** What keeps a node from being a member. The other kinds are about members. */
const BEFORE_MEMBERSHIP: readonly ProblemKind[] = ["unanswered", "other-version", "foreign-key", "elsewhere"];

interface Kept {
  problem: Problem;
  lastMs: number;
  /** Whether it has been told. */
  isTold: boolean;
}

/** Most problems that the key proves (chosen without measurement), and most others: a stranger can make up any number. */
const MOST_PROVEN = 256;
const MOST_UNPROVEN = 16;

/**
 * How often a problem is noticed before it is told. A single packet whose seal does not open may have been damaged on the way,
 * and a node whose address has just changed may name the former one once.
 */
const LEAST_COUNT: Readonly<Record<ProblemKind, number>> = {
  unanswered: 1,
  "other-version": 2,
  "foreign-key": 2,
  elsewhere: 2,
  unheard: 1,
  mute: 1,
};

/**
 * Remembers what is in the way. Each problem is told once when it begins, and once when it ends. It ends when a part of the
 * program says so, or when it has not been noticed for a while.
 */
export class Problems {
  private readonly kept = new Map<string, Kept>();
  private readonly tell: (event: NodeEvent) => void;

  /** @param tell called with "problem-began" and "problem-ended" */
  constructor(tell: (event: NodeEvent) => void) {
    this.tell = tell;
  }

  /** The problems of now, in the order in which they began. */
  get list(): Problem[] {
    return [...this.kept.values()].filter(({ isTold }) => isTold).map(({ problem }) => problem);
  }

  /** A problem is noticed, for the first time or again. */
  note(found: FoundProblem, nowMs: number): void {
    const name = nameOf(found.kind, found.ip);
    const known = this.kept.get(name);
    if (known === undefined && !this.hasRoom(found.isProven)) return;
    const kept = known ?? { problem: { ...found, count: 0 }, lastMs: nowMs, isTold: false };
    // What a packet that opens says is not replaced by what another one claims.
    const facts = found.isProven || !kept.problem.isProven ? found : kept.problem;
    kept.problem = { ...facts, count: kept.problem.count + 1 };
    kept.lastMs = nowMs;
    this.kept.set(name, kept);
    if (kept.isTold || kept.problem.count < LEAST_COUNT[found.kind]) return;
    kept.isTold = true;
    this.tell({ kind: "problem-began", problem: kept.problem });
  }

  /** A problem is over. */
  end(kind: ProblemKind, ip: string): void {
    this.forget(nameOf(kind, ip));
  }

  /** A node at this address is a member: nothing keeps it from being one. */
  endAtMember(ip: string): void {
    for (const kind of BEFORE_MEMBERSHIP) this.end(kind, ip);
  }

  /** Ends what has not been noticed for a while. */
  expire(nowMs: number): void {
    for (const [name, { lastMs }] of this.kept) if (nowMs - lastMs >= times.PROBLEM_MS) this.forget(name);
  }

  private forget(name: string): void {
    const kept = this.kept.get(name);
    this.kept.delete(name);
    if (kept?.isTold === true) this.tell({ kind: "problem-ended", problem: kept.problem });
  }

  private hasRoom(isProven: boolean): boolean {
    let same = 0;
    for (const { problem } of this.kept.values()) if (problem.isProven === isProven) same++;
    return same < (isProven ? MOST_PROVEN : MOST_UNPROVEN);
  }
}

function nameOf(kind: ProblemKind, ip: string): string {
  return `${kind} ${ip}`;
}
