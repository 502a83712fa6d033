/** The command msync --doctor: what is in the way, and how it is fixed. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import { ExitStatus, UserError } from "../base/user-error.ts";
import { ConsoleClient } from "../console/client.ts";
import { socketPathOf } from "../console/socket-path.ts";
import type { DoctorFinding } from "../console/protocol.ts";
import { firewallFindings, type OwnHost } from "./firewall.ts";
import { inLanguage } from "./language.ts";
import { printJson, printLine, printSentence } from "./output.ts";

/** How the command line wants it. */
export interface DoctorOptions {
  /** The control socket of the daemon, as unix:PATH. */
  readonly console: string;
  /** The hosts to examine; none for all. */
  readonly hosts: readonly string[];
  readonly json: boolean;
  readonly verbosity: number;
}

/** systemctl answers in a moment, or is not waited for. */
const PATIENCE_MS = 3_000;

/** The port of the fleet where the daemon cannot be asked for another. */
const USUAL_PORT = 5000;

/**
 * Looks for everything that is in the way, and prints a line for each finding.
 *
 * @returns the exit status: 0 if nothing is in the way of pushes, otherwise 1
 */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  const findings = await findingsOf(options);
  const isWell = findings.every(({ level }) => level !== "problem");
  const exitStatus = isWell ? ExitStatus.ok : ExitStatus.usage;
  if (options.json) printJson({ result: "doctor", exitStatus, findings });
  else printFindings(findings, options.verbosity);
  return exitStatus;
}

async function findingsOf({ console: target, hosts }: DoctorOptions): Promise<DoctorFinding[]> {
  const unnamed = { host: os.hostname(), address: "" };
  let client: ConsoleClient;
  try {
    client = await ConsoleClient.connect(socketPathOf(target));
  } catch (error) {
    if (!(error instanceof UserError) || error.exitStatus !== ExitStatus.unreachable) throw error;
    return [await serviceFinding(error.message, unnamed), ...(await firewallFindings(USUAL_PORT, unnamed))];
  }
  try {
    const result = await client.request({ command: "doctor", targets: hosts }, () => undefined);
    if (result.result !== "doctor") throw new UserError("the daemon gave another answer than expected");
    const [own = unnamed] = result.findings;
    return [...result.findings, ...(await firewallFindings(result.port, own))];
  } finally {
    client.close();
  }
}

/** Why the daemon does not answer, as far as the service manager knows. */
async function serviceFinding(sentence: string, own: OwnHost): Promise<DoctorFinding> {
  const state = await serviceState();
  const isFailed = /^ActiveState=failed$/m.test(state);
  const [, status = ""] = /^StatusText=(.+)$/m.exec(state) ?? [];
  const [, active = ""] = /^ActiveState=(.+)$/m.exec(state) ?? [];
  const known = status === "" ? "" : `${sentence}; the service is ${active}, and says: ${status}`;
  const text = active === "" ? sentence : known || `${sentence}; the service is ${active}`;
  const start = isFailed ? "journalctl -u makuosan -n 20" : "systemctl start makuosan";
  const mend = `'${start}' on this host; run msync as root or as a member of the group of the control socket`;
  const values = { active };
  return { ...own, check: "service", level: "problem", text, mend, values };
}

function serviceState(): Promise<string> {
  // Without systemd as the service manager, systemctl has nothing to tell.
  if (!fs.existsSync("/run/systemd/system")) return Promise.resolve("");
  const args = ["show", "makuosan.service", "-p", "ActiveState,StatusText"];
  return new Promise((resolve) => {
    execFile("systemctl", args, { timeout: PATIENCE_MS }, (_error, stdout) => resolve(stdout));
  });
}

function printFindings(findings: readonly DoctorFinding[], verbosity: number): void {
  for (const { level, host, address, check, text, mend } of findings) {
    if (level === "ok" && verbosity === 0) continue;
    const who = address === "" || address === host ? host : `${host} (${address})`;
    const how = mend === "" ? "" : `; ${inLanguage(mend)}`;
    printLine(`${level} ${who} ${check}: ${inLanguage(text)}${how}`);
  }
  const problems = findings.filter(({ level }) => level === "problem").length;
  const hosts = new Set(findings.map(({ host, address }) => `${host} ${address}`)).size;
  const verdict = problems === 0 ? "nothing is in the way" : counted(problems, "problem");
  printSentence(`Total: ${counted(findings.length, "check")} of ${counted(hosts, "host")}, ${verdict}`);
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}
