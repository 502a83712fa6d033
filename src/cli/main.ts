/** The command msync: carries out what its command line asks for. */
import { ExitStatus, UserError } from "../base/user-error.ts";
import { ConsoleClient } from "../console/client.ts";
import { socketPathOf } from "../console/socket-path.ts";
import { rawArguments } from "./arguments.ts";
import { ask } from "./ask.ts";
import { Interrupt } from "./interrupt.ts";
import { chooseLanguage } from "./language.ts";
import { type CommandOptions, parseOptions, PrintedInstead } from "./options.ts";
import { closeOutput, printError, printSentence } from "./output.ts";
import { send, undo, waitForMembers } from "./send.ts";

/**
 * The command `msync`.
 *
 * @param args the arguments after the command's name
 * @returns the exit status
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  // Programs read English.
  await chooseLanguage(args.includes("--json") ? {} : process.env);
  return closeOutput(await runToStatus(args));
}

async function runToStatus(args: readonly string[]): Promise<number> {
  try {
    return await run(parseOptions(rawArguments(args), process.env["MSYNC_TARGET"]));
  } catch (error) {
    if (error instanceof PrintedInstead) return ExitStatus.ok;
    if (!(error instanceof UserError)) throw error;
    printError(error.message);
    return error.exitStatus;
  }
}

async function run(options: CommandOptions): Promise<number> {
  if (options.action === "keygen") {
    await generateKey(options);
    return ExitStatus.ok;
  }
  if (options.action === "doctor") {
    const { console: target, paths: hosts, json, send: shown } = options;
    return (await import("./doctor.ts")).runDoctor({
      console: target,
      hosts,
      json,
      verbosity: shown.verbosity,
    });
  }
  if (options.action === "watch") return (await import("./watch.ts")).watch(options);
  const client = await ConsoleClient.connect(socketPathOf(options.console));
  if (options.action === "top") {
    // It has its own way with keys and signals.
    const { runTop } = await import("./top.ts");
    return runTop(client, options.json).finally(() => client.close());
  }
  const interrupt = new Interrupt(client);
  try {
    return await talk(client, options, interrupt);
  } finally {
    client.close();
  }
}

async function generateKey({ keyFile, addTo }: CommandOptions): Promise<void> {
  if (addTo === undefined) {
    (await import("./keygen.ts")).makeKey(keyFile);
    return;
  }
  const count = (await import("./key-add.ts")).addKey(addTo);
  printSentence(
    `${addTo} holds ${count} keys now, and the new one is the last: it opens packets and does not seal yet`,
  );
  printSentence(
    "next: copy the file to all other hosts, run 'systemctl reload makuosan' on every host, and only then move the new key " +
      "to the front; docs/keys.md and makuosan(8) have all steps",
  );
}

async function talk(client: ConsoleClient, options: CommandOptions, interrupt: Interrupt): Promise<number> {
  const { action, paths, send: sendOptions, json } = options;
  await waitForMembers(client, sendOptions);
  if (action === "send") return send(client, paths, sendOptions, json, interrupt);
  if (action === "undo") return undo(client, options.undoId, sendOptions, json, interrupt);
  if (action === "script")
    return (await import("./script.ts")).runScript(client, options.script, options, interrupt);
  const { verbosity } = sendOptions;
  if (action === "catch-up") {
    return ask(client, { command: action, hosts: paths }, { json, verbosity });
  } else if (action === "history") {
    await ask(client, { command: action, count: options.historyCount }, { json, verbosity });
  } else if (action === "loglevel") {
    await ask(client, { command: action, level: options.logLevel }, { json, verbosity });
  } else if (action === "members" || action === "status") {
    await ask(client, { command: action }, { json, verbosity });
  }
  return ExitStatus.ok;
}
