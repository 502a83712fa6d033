import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

/**
 * `make demo`: four servers on this machine, on 127.0.0.1 to 127.0.0.4, without root. Each has its own daemon and its
 * own directory. Files are pushed from the first server to the others, and shown there. Nothing is left behind.
 */

const DIST = path.join(import.meta.dirname, "../dist");
const HOSTS = [1, 2, 3, 4];
/** A port that other programs hardly use, and that differs from the one of a makuosan on this machine. */
const PORT = 20_000 + (process.pid % 20_000);

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-demo-"));
const daemons: ChildProcess[] = [];

const base = (host: number) => path.join(directory, `host${host}`, "www");
const socket = (host: number) => path.join(directory, `host${host}`, "makuosan.sock");

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs a shell command "on" a host and shows it with its output. */
function shell(host: number, command: string): void {
  say(`\nhost${host}:/var/www$ ${command}`);
  const { stdout, stderr } = spawnSync("sh", ["-c", command], {
    cwd: base(host),
    env: {
      ...process.env,
      PATH: `${DIST}:${process.env["PATH"] ?? ""}`,
      MSYNC_TARGET: `unix:${socket(host)}`,
    },
    encoding: "utf8",
  });
  process.stdout.write(stdout + stderr);
}

/** Starts the daemon of a host in the foreground, and waits until it is ready. */
function start(host: number): Promise<void> {
  fs.mkdirSync(base(host), { recursive: true });
  const args = [
    "--config",
    "/dev/null",
    "-n",
    "-b",
    base(host),
    "-k",
    path.join(directory, "key"),
    "--name",
    `host${host}`,
  ];
  say(`host${host}:~# makuosan -b /var/www -k /etc/makuosan.key`);
  const daemon = spawn(
    path.join(DIST, "makuosan"),
    [...args, "-i", `127.0.0.${host}`, "-p", String(PORT), "-U", socket(host)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  daemons.push(daemon);
  return new Promise((resolve, reject) => {
    let log = "";
    daemon.stdout.on("data", (bytes: Buffer) => {
      log += bytes.toString();
      if (log.includes("ready\n")) resolve();
    });
    daemon.once("exit", (status) =>
      reject(new Error(`the daemon of host${host} ended with status ${status}`)),
    );
  });
}

async function stop(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  daemon.removeAllListeners("exit");
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  daemon.kill("SIGTERM");
  await ended;
}

async function membersAreThere(): Promise<void> {
  const wanted = `Total: ${HOSTS.length - 1} members`;
  for (const endMs = performance.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const counts = HOSTS.map((host) =>
      spawnSync(path.join(DIST, "msync"), ["-c", socket(host), "--members"], { encoding: "utf8" }),
    );
    if (counts.every(({ stdout }) => stdout.includes(wanted))) return;
    if (performance.now() > endMs)
      throw new Error("the daemons do not find each other: is multicast possible on lo?");
  }
}

/** The demonstration checks what it shows: it compares the trees at its end. */
function compareTrees(): void {
  for (const host of HOSTS.slice(1)) execFileSync("diff", ["-r", "-x", ".makuosan", base(1), base(host)]);
  say("\nThe trees of all four hosts are the same.");
}

async function session(): Promise<void> {
  execFileSync(path.join(DIST, "msync"), ["--keygen", path.join(directory, "key")]);
  say("Four servers on 127.0.0.1 to 127.0.0.4, each with a directory of its own as /var/www:\n");
  for (const host of HOSTS) await start(host);
  await membersAreThere();
  shell(1, "msync --members");
  shell(1, "echo hoge > hoge.html; echo fuga > fuga.html");
  shell(1, "msync -rn");
  shell(1, "msync -rv");
  for (const host of HOSTS.slice(1)) shell(host, "ls -l --time-style=full-iso");
  shell(1, "mkdir hogehoge; echo 1 > hogehoge/one; echo index > index.html; echo two > hogehoge/two");
  shell(1, "msync -v index.html");
  shell(1, "msync -v -t host3 -r hogehoge/");
  shell(2, "ls hogehoge");
  shell(3, "ls hogehoge");
  shell(1, "head -c 50000000 /dev/urandom > big; msync -r; ls -l big");
  shell(4, "ls -l big");
  shell(1, "msync --status");
  compareTrees();
}

try {
  await session();
} finally {
  await Promise.all(daemons.map(stop));
  fs.rmSync(directory, { recursive: true, force: true });
}
