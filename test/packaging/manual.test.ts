import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { mock, suite, test } from "node:test";
import { Command, CommanderError } from "commander";
import { ExitStatus } from "../../src/base/user-error.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { parseArguments } from "../../src/daemon/settings/options.ts";
import { asInManual, entriesOf } from "./manual-entries.ts";

/** The manual pages and the completions name what the program has, and nothing else. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");

const COMMANDS = [
  { name: "makuosan", page: "makuosan.8", parse: () => parseArguments([]) },
  { name: "msync", page: "msync.1", parse: () => parseOptions([], undefined) },
];

for (const { name, page, parse } of COMMANDS) {
  void suite(name, () => {
    const options = optionsOf(parse);

    test("the manual page has every option, and no other", () => {
      const described = entriesOf(page).map((entry) => entry.tag);
      const isOption = (tag: string) => tag.startsWith("-");
      assert.deepEqual(described.filter(isOption).sort(), options.map((one) => one.asInManual).sort());
    });

    test("the completions have every long option, and no other", () => {
      const expected = options.filter((one) => !one.isHidden).map((one) => one.long);
      for (const [shell, found] of Object.entries(completionsOf(name))) {
        assert.deepEqual([...found].sort(), expected.sort(), shell);
      }
    });
  });
}

void suite("msync(1)", () => {
  test("lists the exit statuses that the program gives", () => {
    const source = fs
      .readdirSync(path.join(ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => read(path.join("src", name)))
      .join("\n");
    const used = Object.entries(ExitStatus).filter(([name]) => source.includes(`ExitStatus.${name}`));
    const expected = used.map(([, status]) => status).sort((a, b) => a - b);
    const statuses = entriesOf("msync.1").filter((entry) => /^\d+$/.test(entry.tag));
    assert.deepEqual(
      statuses.map((entry) => Number(entry.tag)),
      expected,
    );
  });
});

interface ProgramOption {
  readonly long: string;
  readonly asInManual: string;
  readonly isHidden: boolean;
}

/** What a command gives to commander, by stopping it just before it would read its arguments. */
function optionsOf(parse: () => unknown): ProgramOption[] {
  let options: ProgramOption[] = [];
  const spy = mock.method(Command.prototype, "parse", function (this: Command): Command {
    options = this.options.map((option) => ({
      long: option.long ?? "",
      asInManual: asInManual(option.flags),
      isHidden: option.hidden,
    }));
    throw new CommanderError(0, "stopped", "stopped");
  });
  assert.throws(parse);
  spy.mock.restore();
  // Commander keeps the option for help by itself.
  return [...options, { long: "--help", asInManual: "-h, --help", isHidden: false }];
}

/** The long options in the completions of each shell. */
function completionsOf(command: string): Record<string, Set<string>> {
  const folder = path.join("packaging", "completions");
  const bash = [...read(path.join(folder, "bash", command)).matchAll(/\boptions\+?='([^']*)'/g)]
    .map(([, names = ""]) => names)
    .join(" ");
  const zsh = read(path.join(folder, "zsh", `_${command}`));
  const fish = read(path.join(folder, "fish", `${command}.fish`));
  return {
    bash: new Set(bash.trim().split(/\s+/)),
    // Behind the first bracket stands what the option means.
    zsh: new Set([...zsh.matchAll(/^ {2}'[^[]*?(--[a-z-]+?)=?-?[[}]/gm)].map(([, long = ""]) => long)),
    fish: new Set([...fish.matchAll(/^complete .*? -l ([a-z-]+)/gm)].map(([, long = ""]) => `--${long}`)),
  };
}

function read(file: string): string {
  return fs.readFileSync(path.join(ROOT, file), "utf8");
}
