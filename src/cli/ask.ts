import type { ConsoleClient } from "../console/client.ts";
import type { Request, Result } from "../console/protocol.ts";
import { printJson, printLine, printWarning } from "./output.ts";

/** How an answer is shown. */
export interface AskOptions {
  readonly json: boolean;
  readonly verbosity: number;
}

/** Asks the daemon for something that is answered at once, and prints the answer. */
export async function ask(client: ConsoleClient, request: Request, options: AskOptions): Promise<void> {
  const result = await client.request(request, () => undefined);
  if (options.json) printJson(result);
  else printAnswer(result, options.verbosity);
}

function printAnswer(result: Result, verbosity: number): void {
  if (result.result === "members") {
    for (const { host, address, version, labels } of result.members) {
      const shown = verbosity > 0 ? ` ${labels.join(",")}`.trimEnd() : "";
      printLine(`${host} ${address} (Ver${version})${shown}`);
    }
    printLine(`Total: ${result.members.length} members`);
    if (!result.isSealed) printWarning("no key is set: anyone on this network can write to these servers");
  }
  if (result.result === "status") for (const [key, value] of result.values) printLine(`${key} : ${value}`);
}
