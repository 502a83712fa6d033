import fs from "node:fs";

/** What the kernel says about processes and the machine, in /proc. */

/** CPU time of a process with all its threads. */
export interface CpuTime {
  readonly userMs: number;
  readonly systemMs: number;
}

/** Where the time of all CPUs of the machine went, in any unit. */
export interface MachineTime {
  readonly total: number;
  readonly idle: number;
  /** Taken by other guests of the same hardware. */
  readonly stolen: number;
}

export interface Memory {
  /** Resident now, and the most since resetPeak(), in KiB; files that are mapped are in it. */
  readonly residentKiB: number;
  readonly peakKiB: number;
  /** The part of what is resident now that is no mapped file. */
  readonly ownKiB: number;
}

/** The kernel counts in hundredths of a second here, whatever its own clock. */
const TICK_MS = 10;

export function cpuTime(pid: number): CpuTime {
  const stat: string = fs.readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name in brackets may hold anything. What follows begins with the third field.
  const fields: string[] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { userMs: Number(fields[11]) * TICK_MS, systemMs: Number(fields[12]) * TICK_MS };
}

export function cpuSince(pid: number, before: CpuTime): CpuTime {
  const now: CpuTime = cpuTime(pid);
  return { userMs: now.userMs - before.userMs, systemMs: now.systemMs - before.systemMs };
}

export function machineTime(): MachineTime {
  const [line = ""]: string[] = fs.readFileSync("/proc/stat", "latin1").split("\n");
  // user, nice, system, idle, iowait, irq, softirq, steal; what guests got is in user already.
  const fields: number[] = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = fields;
  return { total: fields.reduce((sum, one) => sum + one, 0), idle: idle + waiting, stolen };
}

/** The share of all CPUs' time since then that was used, 0 to 1; stolen time counts as used. */
export function busyShare(before: MachineTime): number {
  const now: MachineTime = machineTime();
  return 1 - (now.idle - before.idle) / Math.max(1, now.total - before.total);
}

export function memory(pid: number): Memory {
  const status: string = fs.readFileSync(`/proc/${pid}/status`, "latin1");
  const kiB = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
  return {
    residentKiB: kiB("VmRSS"),
    peakKiB: kiB("VmHWM"),
    ownKiB: kiB("RssAnon") + kiB("RssShmem"),
  };
}

/** From now on the peak is counted anew. */
export function resetPeak(pid: number): void {
  fs.writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
