import type { Content, Scenario } from "../scenario.ts";
import { FilesAlone } from "./files-alone.ts";
import { Makuosan } from "./makuosan.ts";
import type { Contender } from "./peer.ts";
import { Rsync } from "./rsync.ts";
import { Udpcast } from "./udpcast.ts";
import { Uftp } from "./uftp.ts";

/** Everything that can take part, by the name used on the command line. */

type Rate = number | undefined;

const WITHOUT_FFI: Record<string, string> = { MAKUOSAN_WITHOUT_FFI: "1" };

/** Daemons run for months: what is measured are the pushes of such as have pushed before. */
const WARM_UPS = 6;

/** A gigabyte takes so long that three have made the program warm; the first one takes up to twice as long as they. */
function warmUpsFor(content: Content): number {
  return content === "edited" || content === "unlike" ? 3 : WARM_UPS;
}

const CONTENDERS: Record<string, (scenario: Scenario, hasAllRates: boolean) => Contender> = {
  makuosan: ({ content }) =>
    alone(new Makuosan("makuosan, sealed", { key: true, warmUps: warmUpsFor(content) })),
  fresh: () => alone(new Makuosan("makuosan, just started", { key: true })),
  plain: () => alone(new Makuosan("makuosan without key", { key: false, warmUps: WARM_UPS })),
  uncompressed: () =>
    alone(
      new Makuosan("makuosan --compress no", {
        key: true,
        warmUps: WARM_UPS,
        daemonArguments: ["--compress", "no"],
      }),
    ),
  "whole-file": ({ content }) =>
    alone(
      new Makuosan("makuosan --whole-file", { key: true, warmUps: warmUpsFor(content), options: ["-W"] }),
    ),
  "no-offload": () =>
    alone(new Makuosan("makuosan --no-offload", { key: true, daemonArguments: ["--no-offload"] })),
  "no-ffi": () => alone(new Makuosan("makuosan without FFI", { key: true, environment: WITHOUT_FFI })),
  rsync: () => alone(new Rsync()),
  "rsync-z": () => alone(new Rsync("rsync -z in parallel", ["-aWz"])),
  "rsync-delta": () => alone(new Rsync("rsync with deltas in parallel", ["-a", "--no-W"])),
  "rsync-inplace": () => alone(new Rsync("rsync --inplace in parallel", ["-a", "--no-W", "--inplace"])),
  uftp: (scenario, hasAllRates) => ({
    name: "uftp",
    candidates: uftpRates(scenario, hasAllRates).map((rate) => new Uftp(rate)),
  }),
  udpcast: (scenario, hasAllRates) => ({
    name: "udpcast",
    candidates: udpcastRates(scenario, hasAllRates).map((rate) => new Udpcast(rate)),
  }),
  "zstd-udpcast": (scenario, hasAllRates) => ({
    name: "zstd | udpcast",
    candidates: udpcastRates(scenario, hasAllRates).map((rate) => new Udpcast(rate, true)),
  }),
  files: () => alone(new FilesAlone(FLOOR)),
};

/** The one that shows what the machine can do at best. */
export const FLOOR = "the files alone";

export const CONTENDER_NAMES: readonly string[] = Object.keys(CONTENDERS);

const WHOLE_TREES: readonly Content[] = ["big", "tree", "unchanged"];

/** In which contents a contender tells something; one that is not named here does in all. */
const TELLING: Record<string, readonly Content[]> = {
  fresh: WHOLE_TREES,
  plain: WHOLE_TREES,
  uncompressed: ["big", "text"],
  "whole-file": ["edited", "unlike"],
  "no-offload": ["big"],
  "no-ffi": ["big"],
  "rsync-z": ["text"],
  "rsync-delta": ["edited"],
  "rsync-inplace": ["edited"],
  uftp: WHOLE_TREES,
  udpcast: ["big", "tree", "text"],
  "zstd-udpcast": ["text"],
};

/** The contenders from whom something follows in a scenario. */
export function tellingNames({ content }: Scenario): string[] {
  return CONTENDER_NAMES.filter((name) => TELLING[name]?.includes(content) ?? true);
}

/**
 * @param hasAllRates whether all rates are tried that a program could be told
 * @throws RangeError for a name that nobody has
 */
export function contenders(names: readonly string[], scenario: Scenario, hasAllRates: boolean): Contender[] {
  return names.map((name) => {
    const make = Object.hasOwn(CONTENDERS, name) ? CONTENDERS[name] : undefined;
    if (make === undefined) throw new RangeError(`${name} is none of ${CONTENDER_NAMES.join(", ")}`);
    return make(scenario, hasAllRates);
  });
}

function alone(peer: Contender["candidates"][number]): Contender {
  return { name: peer.name, candidates: [peer] };
}

/** A rate above what receivers take costs uftp whole further passes, one far below it just time. */
function uftpRates({ speedMbps, content }: Scenario, hasAllRates: boolean): Rate[] {
  if (content === "unchanged") return [undefined];
  if (speedMbps === undefined) return hasAllRates ? [400, 600, 800, 1000, undefined] : [800];
  const shares: number[] = hasAllRates ? [0.5, 0.65, 0.8, 0.95] : [0.8];
  return shares.map((share) => Math.round(share * speedMbps));
}

function udpcastRates({ speedMbps }: Scenario, hasAllRates: boolean): Rate[] {
  if (!hasAllRates) return [undefined];
  return speedMbps === undefined ? [undefined, 600] : [undefined, Math.round(0.9 * speedMbps)];
}
