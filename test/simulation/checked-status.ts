import { inboundName } from "../../src/engine/types.ts";
import { MemberPhase, type Status } from "../../src/wire/status-message.ts";
import { check } from "./check.ts";
import type { JudgedStages } from "./judged-stages.ts";
import type { Machine } from "./machine.ts";

/** A status never claims more than the disk has. */
export function checkStatus(
  status: Status,
  { name: host, fates }: Machine,
  stages: JudgedStages,
  dryRuns: ReadonlySet<string>,
): void {
  const name = inboundName({ epoch: status.sender, transfer: status.transfer });
  const { phase } = status;
  if (phase === MemberPhase.receiving)
    check(stages.isStagedBelow(name, status.stagedBelow), `${host} acknowledges what it has not staged`);
  if (phase === MemberPhase.ready || phase === MemberPhase.ordered)
    check(stages.isPrepared(name) || dryRuns.has(name), `${host} is ready without having prepared ${name}`);
  if (phase === MemberPhase.done)
    check(fates.get(name) === "new", `${host} says done without having committed ${name}`);
}
