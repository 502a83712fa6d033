import { type Finished, run } from "../support/processes.ts";

/** For each program that is called here, Debian's package that has it. */
const PACKAGES: Record<string, string> = {
  rsync: "rsync",
  uftp: "uftp",
  "udp-sender": "udpcast",
  nft: "nftables",
  ethtool: "ethtool",
};

/** Installs what is missing, from Debian; says what could not be installed. */
export async function installPeers(): Promise<string | undefined> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(PACKAGES)) if (!(await isThere(program))) missing.push(name);
  if (missing.length === 0) return undefined;
  process.stderr.write(`installing ${missing.join(", ")}\n`);
  const env: Record<string, string> = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env, timeoutMs: 300_000 });
  const args: string[] = ["install", "-y", "-qq", "--no-install-recommends", ...missing];
  const { status, stderr }: Finished = await run("apt-get", args, { env, timeoutMs: 300_000 });
  return status === 0 ? undefined : `apt-get install ${missing.join(" ")} failed: ${stderr}`;
}

async function isThere(program: string): Promise<boolean> {
  return (await run("sh", ["-c", `command -v ${program}`])).status === 0;
}
