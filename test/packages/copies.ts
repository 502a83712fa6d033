import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { must } from "../support/processes.ts";

export const ROOT = path.resolve(import.meta.dirname, "..", "..");
export const DIST = path.join(ROOT, "dist");

/** The version of the project, as it is in package.json. */
export const VERSION = (
  JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string }
).version;

export const debOf = (version: string) => `makuosan_${version}_amd64.deb`;
export const rpmOf = (version: string) => `makuosan-${version}-1.x86_64.rpm`;

/** Why packages cannot be made and tried here; undefined where they can. */
export function machineProblem(): string | undefined {
  if (process.arch !== "x64") return "the packages that are tried are those for x86-64";
  const isMade = [debOf(VERSION), rpmOf(VERSION)].every((file) => fs.existsSync(path.join(DIST, file)));
  return isMade ? undefined : "there are no packages in dist/: run make packages";
}

/** A copy of the project in another folder, with the same packages of npm. */
export class ProjectCopy {
  readonly root: string;
  readonly dist: string;

  constructor() {
    this.root = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-copy-"));
    this.dist = path.join(this.root, "dist");
    const list = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"];
    const files = execFileSync("git", list, { cwd: ROOT, encoding: "utf8" }).split("\0").filter(Boolean);
    for (const file of files.filter((one) => fs.existsSync(path.join(ROOT, one)))) {
      fs.mkdirSync(path.dirname(path.join(this.root, file)), { recursive: true });
      fs.copyFileSync(path.join(ROOT, file), path.join(this.root, file));
    }
    for (const folder of ["node_modules", ".nfpm", ".foreign"]) {
      if (fs.existsSync(path.join(ROOT, folder)))
        fs.symlinkSync(path.join(ROOT, folder), path.join(this.root, folder));
    }
  }

  /** Replaces a text in one of its files. */
  replace(file: string, old: string, by: string): void {
    const full = path.join(this.root, file);
    const text = fs.readFileSync(full, "utf8");
    if (!text.includes(old)) throw new Error(`${file} does not hold ${old}`);
    fs.writeFileSync(full, text.replace(old, by));
  }

  /** Builds the executable and the packages for x86-64, dated like those of the project. */
  async build(): Promise<void> {
    const epoch = await must("git", ["log", "-1", "--format=%ct"], { cwd: ROOT });
    const env = { SOURCE_DATE_EPOCH: process.env["SOURCE_DATE_EPOCH"] ?? epoch.trim() };
    for (const script of ["build.ts", "packages.ts"]) {
      await must(process.execPath, [path.join("scripts", script), "x64"], {
        cwd: this.root,
        env,
        timeoutMs: 600_000,
      });
    }
  }

  remove(): void {
    fs.rmSync(this.root, { recursive: true, force: true });
  }
}
