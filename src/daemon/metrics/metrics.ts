/** The metrics of the daemon in the text format of Prometheus. */
import type prometheus from "prom-client";
import { ExitStatus } from "../../base/user-error.ts";
import type { SendResult, StatusInfo } from "../../console/protocol.ts";
import type { ProblemKind } from "../../engine/types.ts";
import type { Settings } from "../settings/settings.ts";

/** The library, which is loaded only by daemons that have metrics. */
export type Prometheus = typeof prometheus;

/** Upper ends of the buckets of a push, in seconds: from a small file to a large tree on a slow line. */
const PUSH_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** All kinds of problems, so that a kind that there is not now has a value of 0. */
const PROBLEMS: Readonly<Record<ProblemKind, true>> = {
  unanswered: true,
  "other-version": true,
  "foreign-key": true,
  elsewhere: true,
  unheard: true,
  mute: true,
};

/** All outcomes, and all exit statuses: a counter that only appears with its first event shows no increase by it. */
const MEMBER_OUTCOMES: readonly SendResult["hosts"][number]["outcome"][] = ["done", "failed", "unconfirmed"];
const RECEIPT_OUTCOMES = ["done", "failed"];
const PUSH_STATUSES = Object.values(ExitStatus).map(String);

/** What is counted of a push of this host that has ended. */
export interface EndedPush {
  readonly exitStatus: number;
  readonly durationMs: number;
  readonly sentEntries: number;
  readonly sentBytes: number;
  readonly hosts: readonly { readonly outcome: string }[];
}

/** What is counted of a transfer that this host has received. */
export interface EndedReceipt {
  readonly outcome: string;
  readonly entries: number;
  readonly bytes: number;
}

/** Counts what happens, and shows it with the state of the daemon when it is asked for. */
export class Metrics {
  private readonly registry: prometheus.Registry;
  private readonly prometheus: Prometheus;
  private readonly look: () => StatusInfo;
  /** The state that all metrics of one text are read from: to make it, files of the kernel are read. */
  private status: StatusInfo | undefined;
  private readonly pushes;
  private readonly pushSeconds;
  private readonly pushMembers;
  private readonly sent;
  private readonly fragments;
  private readonly received;
  private readonly receivedAmount;

  /** @param look tells how the daemon is at the moment of the question */
  constructor(client: Prometheus, look: () => StatusInfo) {
    this.prometheus = client;
    this.look = look;
    this.registry = new client.Registry();
    const counter = this.counter.bind(this);
    this.pushes = counter("makuosan_pushes_total", "Pushes that have ended, by their exit status.", "status");
    this.pushSeconds = new client.Histogram({
      name: "makuosan_push_duration_seconds",
      help: "Time of a push from its start to its result.",
      buckets: PUSH_SECONDS,
      registers: [this.registry],
    });
    this.pushMembers = counter(
      "makuosan_push_members_total",
      "Members that pushes of this host were for, by their outcome.",
      "outcome",
    );
    this.sent = {
      entries: counter("makuosan_sent_entries_total", "Entries that pushes of this host have sent."),
      bytes: counter("makuosan_sent_bytes_total", "Bytes of contents that pushes of this host have sent."),
    };
    this.fragments = {
      sent: counter("makuosan_sent_fragments_total", "Fragments that were sent, with repairs."),
      repaired: counter(
        "makuosan_repaired_fragments_total",
        "Fragments and parity that made up for lost fragments.",
      ),
    };
    this.received = counter(
      "makuosan_received_transfers_total",
      "Transfers that other hosts have sent to this one, by their outcome.",
      "outcome",
    );
    this.receivedAmount = {
      entries: counter("makuosan_received_entries_total", "Entries that received transfers have changed."),
      bytes: counter("makuosan_received_bytes_total", "Bytes of contents of received transfers."),
    };
    for (const status of PUSH_STATUSES) this.pushes.inc({ status }, 0);
    for (const outcome of MEMBER_OUTCOMES) this.pushMembers.inc({ outcome }, 0);
    for (const outcome of RECEIPT_OUTCOMES) this.received.inc({ outcome }, 0);
    this.addState();
  }

  /** The names of all metrics. */
  get names(): string[] {
    return this.registry.getMetricsAsArray().map(({ name }) => name);
  }

  /** The type of the text. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** A push of this host has ended. */
  notePush({ exitStatus, durationMs, sentEntries, sentBytes, hosts }: EndedPush): void {
    this.pushes.inc({ status: String(exitStatus) });
    this.pushSeconds.observe(durationMs / 1000);
    this.sent.entries.inc(sentEntries);
    this.sent.bytes.inc(sentBytes);
    for (const { outcome } of hosts) this.pushMembers.inc({ outcome });
  }

  /** A transfer of this host has ended, with so many fragments. */
  noteFragments(sent: number, repaired: number): void {
    this.fragments.sent.inc(sent);
    this.fragments.repaired.inc(repaired);
  }

  /** A transfer that this host receives has ended. */
  noteReceipt({ outcome, entries, bytes }: EndedReceipt): void {
    this.received.inc({ outcome });
    this.receivedAmount.entries.inc(entries);
    this.receivedAmount.bytes.inc(bytes);
  }

  /** All of it as text. */
  text(): Promise<string> {
    this.status = this.look();
    return this.registry.metrics();
  }

  private counter<Label extends string = never>(name: string, help: string, ...labelNames: Label[]) {
    return new this.prometheus.Counter({ name, help, labelNames, registers: [this.registry] });
  }

  /** A metric whose values are read from the state of the daemon when somebody asks. */
  private shown(
    kind: "Counter" | "Gauge",
    name: string,
    help: string,
    values: (status: StatusInfo) => readonly [Readonly<Record<string, string>>, number][],
    ...labelNames: string[]
  ): void {
    const registers = [this.registry];
    const add = (metric: { reset(): void; inc(labels: Record<string, string>, value: number): void }) => {
      metric.reset();
      for (const [labels, value] of values((this.status ??= this.look()))) metric.inc({ ...labels }, value);
    };
    const options = { name, help, labelNames, registers };
    if (kind === "Gauge") {
      const gauge: prometheus.Gauge = new this.prometheus.Gauge({ ...options, collect: () => add(gauge) });
    } else {
      const counter: prometheus.Counter = new this.prometheus.Counter({
        ...options,
        collect: () => add(counter),
      });
    }
  }

  private gauge(name: string, help: string, value: (status: StatusInfo) => number): void {
    this.shown("Gauge", name, help, (status) => [[{}, value(status)]]);
  }

  private count(name: string, help: string, value: (status: StatusInfo) => number): void {
    this.shown("Counter", name, help, (status) => [[{}, value(status)]]);
  }

  private addState(): void {
    this.shown(
      "Gauge",
      "makuosan_build_info",
      "The program; the value is always 1.",
      ({ version, protocol }) => [[{ version, protocol: String(protocol) }, 1]],
      "version",
      "protocol",
    );
    this.shown("Gauge", "makuosan_hosts", "Other hosts by their state.", hostsOf, "state");
    this.gauge("makuosan_pushes_running", "Pushes of this host that run.", ({ sending }) => sending);
    this.gauge("makuosan_pushes_waiting", "Pushes that wait for their turn.", ({ waiting }) => waiting);
    this.gauge("makuosan_interface_up", "Whether the interface can be used.", (status) =>
      status.interface.away === "" ? 1 : 0,
    );
    this.gauge("makuosan_group_joined", "Whether the kernel is a member of the group.", (status) =>
      status.interface.isJoined ? 1 : 0,
    );
    this.gauge("makuosan_key_set", "Whether the fleet has a key.", ({ isSealed }) => (isSealed ? 1 : 0));
    this.gauge("makuosan_clone_found", "Whether a copy of this host was found.", ({ copy }) =>
      copy === "" ? 0 : 1,
    );
    this.addCatchUp();
    this.gauge(
      "makuosan_receive_buffer_bytes",
      "Granted buffer for received packets.",
      ({ receiveBufferBytes }) => receiveBufferBytes,
    );
    this.gauge(
      "makuosan_send_buffer_bytes",
      "Granted buffer for sent packets.",
      ({ sendBufferBytes }) => sendBufferBytes,
    );
    this.addCounts();
    this.addProcess();
  }

  private addCatchUp(): void {
    this.gauge(
      "makuosan_behind_pushes",
      "Pushes for this host that it does not have.",
      ({ publications }) => publications?.behind ?? 0,
    );
    this.gauge(
      "makuosan_behind_since_seconds",
      "When the first of these was made, in seconds since 1970; 0 if there is none.",
      ({ publications }) => Date.parse(publications?.since ?? "1970-01-01") / 1000,
    );
    this.gauge(
      "makuosan_drifted_entries",
      "Entries that are not as published on this host, found by check-every.",
      ({ publications }) => publications?.drifted ?? 0,
    );
  }

  private addCounts(): void {
    this.shown(
      "Counter",
      "makuosan_rejected_packets_total",
      "Packets that were not taken, by the reason.",
      rejectedOf,
      "reason",
    );
    this.count(
      "makuosan_spoiled_blocks_total",
      "Blocks that did not open and were fetched again.",
      (status) => status.spoiledBlocks,
    );
    this.count("makuosan_send_errors_total", "Sends that failed.", ({ sendErrors }) => sendErrors);
    this.count(
      "makuosan_kernel_dropped_packets_total",
      "UDP packets that the kernel of this host dropped for a full buffer.",
      ({ droppedPackets }) => droppedPackets,
    );
  }

  private addProcess(): void {
    this.gauge("process_resident_memory_bytes", "Memory of the process.", ({ memoryBytes }) => memoryBytes);
    this.gauge(
      "process_start_time_seconds",
      "When the process was started, in seconds since 1970.",
      () => Date.now() / 1000 - process.uptime(),
    );
    this.count("process_cpu_seconds_total", "Time of all processors that the process has used.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }
}

/** Loads the library of the metrics, if they are wanted: it takes time and memory at a start. */
export async function loadMetrics(
  { metrics }: Pick<Settings, "metrics">,
  look: () => StatusInfo,
): Promise<Metrics | undefined> {
  if (metrics === undefined) return undefined;
  return new Metrics((await import("prom-client")).default, look);
}

function hostsOf({ members, lost, problems }: StatusInfo): [Record<string, string>, number][] {
  const counts = new Map([...Object.keys(PROBLEMS)].map((kind) => [kind, 0]));
  for (const { kind } of problems) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const states = [["member", members] as const, ["lost", lost.length] as const, ...counts];
  return states.map(([state, count]) => [{ state }, count]);
}

function rejectedOf(status: StatusInfo): [Record<string, string>, number][] {
  const counts = {
    foreign: status.foreignPackets,
    outside: status.outsidePackets,
    replayed: status.replayedPackets,
    malformed: status.malformedPackets,
    other_version: status.otherVersionPackets,
    unexamined: status.unexaminedPackets,
  };
  return Object.entries(counts).map(([reason, count]) => [{ reason }, count]);
}
