import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { mock, suite, test } from "node:test";
import { Command, CommanderError } from "commander";
import { ExitStatus } from "../../src/base/user-error.ts";
import { parseOptions } from "../../src/cli/options.ts";
import { parseConfig } from "../../src/daemon/settings/config.ts";
import { parseArguments } from "../../src/daemon/settings/options.ts";
import { resolveSettings, type Settings } from "../../src/daemon/settings/settings.ts";
import { type Setting, SETTINGS } from "../../src/daemon/settings/settings-table.ts";

/** What the manual pages, the config file and the completions say is what the program has, and the other way round. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const ALL_SETTINGS: readonly Setting[] = SETTINGS;

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

void suite("makuosan.conf(5)", () => {
  const entries = entriesOf("makuosan.conf.5").filter((entry) => / = /.test(entry.tag));

  test("has every key, and no other", () => {
    const described = entries.map((entry) => entry.tag.split(" = ")[0]);
    assert.deepEqual(described.sort(), ALL_SETTINGS.map((setting) => setting.key).sort());
  });

  test("and makuosan(8) tell the default and the bounds of every setting", () => {
    const options = entriesOf("makuosan.8");
    for (const setting of ALL_SETTINGS) {
      const inFile = entries.find((entry) => entry.tag.startsWith(`${setting.key} = `))?.text ?? "";
      const asOption = options.find((entry) => entry.tag === asInManual(setting.option))?.text ?? "";
      for (const text of setting.isInverted === true ? [inFile] : [inFile, asOption]) {
        const literal = literalDefaultOf(setting);
        if (literal !== undefined)
          assert.ok(text.includes(`Default: ${literal}.`), `${setting.key}: ${text}`);
        else if (setting.key !== "base") assert.match(text, /Default: /, setting.key);
        if (setting.form.kind === "number") {
          assert.ok(text.includes(`${setting.form.least} to ${setting.form.most}`), setting.key);
        }
      }
    }
  });
});

test("makuosan(8) has every variable of the environment that stands for a setting", () => {
  const variables: readonly string[] =
    read(path.join("packaging", "man", "makuosan.8")).match(/\bMAKUOSAN_[A-Z]+\b/g) ?? [];
  const known = ALL_SETTINGS.flatMap(({ environment }) => environment ?? []);
  assert.deepEqual(
    known.filter((name) => !variables.includes(name)),
    [],
  );
});

void suite("etc/makuosan.conf", () => {
  const text = read("etc/makuosan.conf");
  // A setting that is commented out has no space behind the mark.
  const uncommented = text.replace(/^#(?=[a-z])/gm, "");

  test("is read without error, and sets the user, the group and the key", () => {
    const shipped = { user: "makuosan", group: "makuosan", key: "/etc/makuosan.key" };
    assert.deepEqual(parseConfig(text, "makuosan.conf"), shipped);
  });

  test("has every setting once, and is read without error when all of them are uncommented", () => {
    const keys = [...uncommented.matchAll(/^([a-z-]+) = /gm)].map(([, key]) => key);
    assert.deepEqual(keys.sort(), ALL_SETTINGS.map((setting) => setting.key).sort());
    assert.deepEqual(Object.keys(parseConfig(uncommented, "makuosan.conf")).sort(), keys);
  });

  test("shows the defaults", () => {
    const given = parseConfig(uncommented, "makuosan.conf");
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-"));
    try {
      const shown = (key: string) => resolveSettings({ base }, { [key]: given[key as keyof typeof given] });
      const defaults: Settings = resolveSettings({ base }, {});
      for (const setting of ALL_SETTINGS.filter(isShownWithDefault)) {
        assert.deepEqual(shown(setting.key), defaults, setting.key);
      }
    } finally {
      fs.rmSync(base, { recursive: true });
    }
  });

  test("has a sentence above each setting", () => {
    const paragraphs = text.trim().split("\n\n").slice(1);
    for (const paragraph of paragraphs) assert.match(paragraph, /^(?:# .*\n)+#?[a-z-]+ = .*$/);
    assert.equal(paragraphs.length, ALL_SETTINGS.length);
  });
});

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

/** The form of an option in the manual pages: what stands for a value is in capitals. */
function asInManual(flags: string): string {
  return flags
    .replace(/<(.*)>/, (_, value: string) => value.toUpperCase())
    .replace(/\[(.*)\]/, (_, value: string) => `[${value.toUpperCase()}]`);
}

interface Entry {
  readonly tag: string;
  readonly text: string;
}

/** The tagged paragraphs of a manual page, without their markup. */
function entriesOf(page: string): Entry[] {
  const paragraphs = read(path.join("packaging", "man", page)).split(/^\.(?:TP|PP|SH|SS)\b.*\n/m);
  return paragraphs.map((paragraph) => {
    const [tag = "", ...text] = paragraph.split("\n");
    return { tag: withoutMarkup(tag), text: text.map(withoutMarkup).join(" ") };
  });
}

function withoutMarkup(line: string): string {
  return line
    .replace(/^\.[A-Z]+ /, "")
    .replace(/\\f[A-Z]/g, "")
    .replaceAll("\\-", "-");
}

/** The long options in the completions of each shell. */
function completionsOf(command: string): Record<string, Set<string>> {
  const folder = path.join("packaging", "completions");
  const bash = /\boptions='([^']*)'/.exec(read(path.join(folder, "bash", command)))?.[1] ?? "";
  const zsh = /_arguments -s[^]*/.exec(read(path.join(folder, "zsh", `_${command}`)))?.[0] ?? "";
  const fish = read(path.join(folder, "fish", `${command}.fish`));
  return {
    bash: new Set(bash.trim().split(/\s+/)),
    // Behind the first bracket stands what the option means.
    zsh: new Set([...zsh.matchAll(/^ {2}'[^[]*?(--[a-z-]+?)=?-?[[}]/gm)].map(([, long = ""]) => long)),
    fish: new Set([...fish.matchAll(/^complete .*? -l ([a-z-]+)/gm)].map(([, long = ""]) => `--${long}`)),
  };
}

/** The default as the manuals write it; undefined where it is no value but a sentence. */
function literalDefaultOf(setting: Setting): string | undefined {
  if (setting.form.kind === "flag") return setting.isInverted === true ? "yes" : "no";
  const [, inBrackets] = /\(([^()]+)\)$/.exec(setting.description) ?? [];
  return inBrackets === undefined || / /.test(inBrackets) ? undefined : inBrackets;
}

function isShownWithDefault(setting: Setting): boolean {
  return literalDefaultOf(setting) !== undefined;
}

function read(file: string): string {
  return fs.readFileSync(path.join(ROOT, file), "utf8");
}
