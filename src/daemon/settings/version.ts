/** The program's version. */
import fs from "node:fs";

/** Set while the one executable is built. */
declare const __MAKUOSAN_VERSION__: string | undefined;

/** The program's version. */
export const VERSION: string =
  typeof __MAKUOSAN_VERSION__ === "string" ? __MAKUOSAN_VERSION__ : readPackageVersion();

function readPackageVersion(): string {
  const text = fs.readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
