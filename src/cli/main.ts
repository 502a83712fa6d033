import { ExitStatus, UserError } from "../base/user-error.ts";
import { ConsoleClient, socketPathOf } from "../console/client.ts";
import { rawArguments } from "./arguments.ts";
import { makeKey } from "./keygen.ts";
import { type CommandOptions, parseOptions, PrintedInstead } from "./options.ts";
import { printError, printJson, printLine, printWarning } from "./output.ts";
import { send, waitForMembers } from "./send.ts";

/**
 * The command `msync`.
 *
 * @param argumentCount how many arguments there are behind the command's name
 * @returns the exit status
 */
export async function runCommand(argumentCount: number): Promise<number> {
  try {
    return await run(parseOptions(rawArguments(argumentCount), process.env["MSYNC_TARGET"]));
  } catch (error) {
    if (error instanceof PrintedInstead) return ExitStatus.ok;
    if (!(error instanceof UserError)) throw error;
    printError(error.message);
    return error.exitStatus;
  }
}

async function run(options: CommandOptions): Promise<number> {
  if (options.action === "keygen") {
    makeKey(options.keyFile);
    return ExitStatus.ok;
  }
  const client = await ConsoleClient.connect(socketPathOf(options.console));
  try {
    await waitForMembers(client, options.send);
    if (options.action === "wait") return ExitStatus.ok;
    if (options.action === "send") return await send(client, options.paths, options.send, options.json);
    await ask(client, options, options.action);
    return ExitStatus.ok;
  } finally {
    client.close();
  }
}

async function ask(
  client: ConsoleClient,
  options: CommandOptions,
  action: "members" | "status" | "loglevel",
) {
  const request =
    action === "loglevel"
      ? ({ command: action, level: options.logLevel } as const)
      : ({ command: action } as const);
  const result = await client.request(request, () => undefined);
  if (options.json) {
    printJson(result);
    return;
  }
  if (result.result === "members") {
    for (const { host, address, version, labels } of result.members) {
      const shown = options.send.verbosity > 0 ? ` ${labels.join(",")}`.trimEnd() : "";
      printLine(`${host} ${address} (Ver${version})${shown}`);
    }
    printLine(`Total: ${result.members.length} members`);
    if (!result.isSealed) printWarning("no key is set: anyone on this network can write to these servers");
  }
  if (result.result === "status") for (const [key, value] of result.values) printLine(`${key} : ${value}`);
}
