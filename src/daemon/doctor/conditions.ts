/** Answers the examinations of other hosts: counts their probes, and says how this host is. */
import type { Member, NodeEvent } from "../../engine/types.ts";
import { type Inspect, type Probe, ProbeSeries } from "../../wire/examination-messages.ts";
import type { DiskFacts } from "./disk-facts.ts";
import type { Say } from "./say.ts";

/** Hosts whose probes are counted at a time: the administrator runs one examination, seldom two. */
const MOST_EXAMINERS = 16;

/** Questions of one host that are answered in a second. An examination asks some ten times. */
const MOST_ANSWERS = 20;
const SECOND_MS = 1_000;

/** What is counted for one host that examines this one. */
interface Examiner {
  readonly examination: number;
  /** For the series 1 to 4. */
  readonly arrived: number[];
  answers: number;
  sinceMs: number;
}

/** The parts that tell how this host is. */
export interface ConditionParts {
  /** The epoch of this node. */
  readonly epoch: string;
  readonly disk: Pick<DiskFacts, "current">;
  readonly transport: { readonly receiveBufferBytes: number; readonly droppedDatagrams: number };
  readonly keepsOwner: boolean;
  readonly memberCount: () => number;
  readonly say: Say;
  readonly nowMs: () => number;
}

/** Counts the probes that arrive, and answers INSPECT (PROTOCOL.md 4.4). Only members are answered. */
export class Conditions {
  private readonly parts: ConditionParts;
  /** By epoch, the one that was heard last at the end. */
  private readonly examiners = new Map<string, Examiner>();

  constructor(parts: ConditionParts) {
    this.parts = parts;
  }

  /** Something has happened to the node. */
  onEvent(event: NodeEvent): void {
    if (event.kind !== "examination") return;
    const { member, message } = event;
    if (message.type === "probe") this.count(member, message.body);
    if (message.type === "inspect" && message.body.to === this.parts.epoch)
      void this.answer(member, message.body);
  }

  private count(member: Member, { examination, series }: Probe): void {
    if (series === ProbeSeries.answer) return;
    const { arrived } = this.examinerOf(member, examination);
    // A count travels in 16 bits.
    arrived[series - 1] = Math.min((arrived[series - 1] ?? 0) + 1, 0xffff);
  }

  private async answer(member: Member, { examination, number, answers }: Inspect): Promise<void> {
    const { transport, keepsOwner, disk, memberCount, say } = this.parts;
    const examiner = this.examinerOf(member, examination);
    if (!this.mayAnswer(examiner)) return;
    const filler = { examination, series: ProbeSeries.answer, fillerBytes: 0 };
    for (let probe = 0; probe < answers; probe++) say({ to: "group" }, { type: "probe", body: filler });
    const condition = {
      to: member.epoch,
      examination,
      number,
      disk: await disk.current(),
      arrived: [...examiner.arrived],
      clockMs: Date.now(),
      keepsOwner,
      receiveBufferBytes: transport.receiveBufferBytes,
      dropped: transport.droppedDatagrams,
      members: memberCount(),
    };
    say({ to: "address", address: member.address }, { type: "condition", body: condition });
  }

  private mayAnswer(examiner: Examiner): boolean {
    const nowMs = this.parts.nowMs();
    if (nowMs - examiner.sinceMs >= SECOND_MS) {
      examiner.sinceMs = nowMs;
      examiner.answers = 0;
    }
    return ++examiner.answers <= MOST_ANSWERS;
  }

  private examinerOf({ epoch }: Member, examination: number): Examiner {
    const known = this.examiners.get(epoch);
    if (known?.examination === examination) return known;
    const sinceMs = known?.sinceMs ?? this.parts.nowMs();
    // The limit holds for a host, however many examinations it begins.
    const begun = { examination, arrived: [0, 0, 0, 0], answers: known?.answers ?? 0, sinceMs };
    this.examiners.delete(epoch);
    this.examiners.set(epoch, begun);
    for (const oldest of this.examiners.keys()) {
      if (this.examiners.size <= MOST_EXAMINERS) break;
      this.examiners.delete(oldest);
    }
    return begun;
  }
}
