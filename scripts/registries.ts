/** How the scripts reach the registries of packages: with npm of the system, and over the proxy that npm is told. */
import { spawnSync } from "node:child_process";
import path from "node:path";

const ROOT = path.dirname(import.meta.dirname);

/** Something that the user of a script can fix; its message says all that has to be said. */
export class Obstacle extends Error {}

/** Each variable that tells other tools what npm reads from its own files, and the settings of npm that stand for it. */
const VARIABLES = [
  // npm takes its one proxy for both kinds of addresses.
  { variable: "HTTPS_PROXY", keys: ["https-proxy", "proxy"] },
  { variable: "HTTP_PROXY", keys: ["proxy"] },
  { variable: "NO_PROXY", keys: ["noproxy"] },
  // The certificates of a proxy that opens the connections: for Go, and for pip.
  { variable: "SSL_CERT_FILE", keys: ["cafile"] },
  { variable: "PIP_CERT", keys: ["cafile"] },
] as const;

/**
 * The search path without the programs of node_modules. The Node that lies there has a folder of its own for the settings of
 * a whole machine: npm would not read those of the system.
 */
export function systemPath(searchPath = process.env["PATH"] ?? ""): string {
  const folders = searchPath.split(path.delimiter);
  return folders.filter((folder) => !folder.split(path.sep).includes("node_modules")).join(path.delimiter);
}

/** The variables that give the settings of npm to Go and pip: a host that needs a proxy for one registry needs it for all. */
export function registryVariables(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const { variable, keys } of VARIABLES) {
    if (variableOf(variable) !== undefined) continue;
    const value = keys.map(settingOfNpm).find((one) => one !== "");
    if (value !== undefined) found[variable] = value;
  }
  return found;
}

/** A variable in either case; an empty one counts as none. */
function variableOf(name: string): string | undefined {
  return [process.env[name], process.env[name.toLowerCase()]].find(
    (value) => value !== undefined && value !== "",
  );
}

const known = new Map<string, string>();

/** A setting of npm from its files and variables; empty if there is none. */
function settingOfNpm(key: string): string {
  const value = known.get(key) ?? ask(key);
  known.set(key, value);
  return value;
}

function ask(key: string): string {
  const env = { ...process.env, PATH: systemPath() };
  const { status, stdout } = spawnSync("npm", ["config", "get", key], { cwd: ROOT, env, encoding: "utf8" });
  const value = status === 0 ? stdout.trim() : "";
  return ["null", "undefined"].includes(value) ? "" : value;
}

/** How to fix it when a registry is not reached, beside the proxy that was used. */
export function registryAdvice(): string {
  const proxy = variableOf("HTTPS_PROXY") ?? registryVariables()["HTTPS_PROXY"];
  const used = proxy === undefined ? "No proxy is set." : `The proxy is ${withoutPassword(proxy)}.`;
  return `${used} If this host needs another one to reach the registries, run 'npm config set proxy http://HOST:PORT', or set HTTPS_PROXY; if its certificate is not known, 'npm config set cafile FILE'.`;
}

function withoutPassword(address: string): string {
  return address.replace(/\/\/[^/@]*@/, "//");
}

/** What such lines have, the clearer ones first: npm ends with advice, and pip with a package that it has not found. */
const CAUSES = [
  /reason: /,
  /ECONN|ENOTFOUND|ETIMEDOUT|\b40[37]\b/,
  /proxy|refused|unreachable|resolv|timed? ?out|certificate|forbidden/i,
];

/** The line of an output that tells why a registry was not reached, or else the last one. */
export function telling(output: string): string {
  const lines = output.trim().split("\n");
  for (const cause of CAUSES) {
    const found = lines.findLast((line) => cause.test(line));
    if (found !== undefined) return found.trim();
  }
  return lines.at(-1) ?? "";
}

/** Runs the program of a script; what the user can fix is one sentence, without a list of calls. */
export async function runScript(name: string, main: () => Promise<void> | void): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Obstacle)) throw error;
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
