/** File systems of tests: images that are mounted over loop devices, and overlays of directories. Only root can do that. */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/** Large enough for each of the file systems: XFS has the largest minimum. */
const IMAGE_BYTES = 320 * 1024 * 1024;

/** A file system that is mounted, until it is closed. */
export interface Mounted {
  /** Where it is mounted. */
  readonly at: string;
  close(): void;
}

/**
 * Makes a file system in an image and mounts it.
 *
 * @param make the program that makes it, and its arguments before the image
 * @param options of the mount
 * @returns undefined if this machine cannot do that
 */
export function mountImage(make: readonly string[], options = ""): Mounted | undefined {
  const directory = temporaryDirectory();
  const [image, at] = [path.join(directory, "image"), path.join(directory, "at")];
  fs.writeFileSync(image, "");
  fs.truncateSync(image, IMAGE_BYTES);
  fs.mkdirSync(at);
  const [program = "", ...before] = make;
  const isMounted = runs(program, [...before, image]) && runs("mount", ["-o", `loop${options}`, image, at]);
  return isMounted ? mounted(directory, at) : gone(directory);
}

/**
 * Mounts an overlay whose lower layer is filled first.
 *
 * @returns undefined if this machine cannot do that
 */
export function mountOverlay(fill: (lower: string) => void): Mounted | undefined {
  const directory = temporaryDirectory();
  if (!runs("mount", ["-t", "tmpfs", "tmpfs", directory])) return gone(directory);
  const [lower, upper, work, at] = ["lower", "upper", "work", "at"].map((name) =>
    path.join(directory, name),
  ) as [string, string, string, string];
  for (const one of [lower, upper, work, at]) fs.mkdirSync(one);
  fill(lower);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},redirect_dir=off`;
  const isMounted = runs("mount", ["-t", "overlay", "-o", options, "overlay", at]);
  const close = () => {
    if (isMounted) unmount(at);
    unmount(directory);
    gone(directory);
  };
  if (isMounted) return { at, close };
  close();
  return undefined;
}

/** Whether a program ran and succeeded. */
export function runs(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** Unmounts at once, also while something in it is still open. */
export function unmount(at: string): void {
  runs("umount", ["--lazy", at]);
}

function temporaryDirectory(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-image-"));
}

function mounted(directory: string, at: string): Mounted {
  const close = () => {
    unmount(at);
    gone(directory);
  };
  return { at, close };
}

function gone(directory: string): undefined {
  fs.rmSync(directory, { recursive: true, force: true });
}
