import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { suite, test } from "node:test";
import { parseConfig, readEnvironment } from "../../src/daemon/settings/config.ts";
import { parseArguments } from "../../src/daemon/settings/options.ts";
import { optionName } from "../../src/daemon/settings/setting.ts";
import { resolveSettings } from "../../src/daemon/settings/settings.ts";
import { ALL_SETTINGS, type TableSetting } from "../../src/daemon/settings/settings-table.ts";
import { entriesOf } from "./manual-entries.ts";
import { settingsDocuments } from "./settings-documents.ts";
import { defaultOf, literalDefaultOf, rangeOf } from "./settings-sentences.ts";

const NO_CONFIG = { values: {}, places: {} };

/** The table of settings, the program, the manual pages, the sample of the config file and the completions agree. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");

void suite("documents that repeat the table of settings", () => {
  for (const { file, present, expected } of settingsDocuments()) {
    test(`${file} is as node test/packaging/settings-documents.ts --write writes it`, () => {
      assert.equal(present, expected);
    });
  }
});

void suite("the table of settings", () => {
  test("has each key, option and variable once", () => {
    const keys = ALL_SETTINGS.map(({ key }) => key);
    const options = ALL_SETTINGS.flatMap((setting) => optionName(setting).split(", "));
    const variables = ALL_SETTINGS.flatMap(({ environment }) => environment ?? []);
    for (const names of [keys, options, variables]) assert.deepEqual(names, [...new Set(names)]);
  });

  test("names the value of an option, and only flags have none", () => {
    for (const { key, option, form } of ALL_SETTINGS) {
      assert.equal(/ <[a-z]+>$/.test(option), form.kind !== "flag", key);
    }
  });

  test("has an option --KEY for each setting, and --no-KEY with a sentence for each flag that is on", () => {
    for (const setting of ALL_SETTINGS) {
      const { key, helpOff } = setting;
      const isOn = setting.default === true;
      assert.equal(optionName(setting).split(", ").at(-1), isOn ? `--no-${key}` : `--${key}`);
      assert.equal(helpOff !== undefined, isOn, key);
    }
  });
});

void suite("the program", () => {
  for (const setting of ALL_SETTINGS) {
    const { key, environment, form } = setting;
    const text = exampleOf(setting);

    test(`takes ${key} from the config file, the command line and the environment alike`, () => {
      const expected = { [key]: form.parse(text, key) };
      assert.deepEqual(parseConfig(`${key} = ${text}`, "conf"), expected);
      for (const name of optionName(setting).split(", ")) {
        const argv = form.kind === "flag" ? [name] : [name, text];
        const fromFlag = { [key]: !name.startsWith("--no-") && setting.default !== true };
        assert.deepEqual(parseArguments(argv).settings, form.kind === "flag" ? fromFlag : expected);
      }
      if (environment !== undefined) assert.deepEqual(readEnvironment({ [environment]: text }), expected);
    });
  }
});

void suite("makuosan.conf(5)", () => {
  const entries = entriesOf("makuosan.conf.5").filter((entry) => / = /.test(entry.tag));

  test("has every key with its kind of value, in the order of the table, and no other", () => {
    const tags = entries.map((entry) => entry.tag);
    assert.deepEqual(tags, ALL_SETTINGS.map(keyTag));
  });

  test("tells the default and the bounds of every setting", () => {
    for (const setting of ALL_SETTINGS) {
      const { text = "" } = entries.find((entry) => entry.tag === keyTag(setting)) ?? {};
      assert.ok(text.includes(`Default: ${defaultOf(setting)}.`), `${setting.key}: ${text}`);
      assert.ok(text.includes(rangeOf(setting)), `${setting.key}: ${text}`);
    }
  });
});

void suite("etc/makuosan.conf", () => {
  const text = fs.readFileSync(path.join(ROOT, "etc", "makuosan.conf"), "utf8");
  // A setting that is commented out has no space behind the mark.
  const uncommented = text.replace(/^#(?=[a-z])/gm, "");

  test("is read without error, and sets the user, the group and the key", () => {
    const shipped = { user: "makuosan", group: "makuosan", key: "/etc/makuosan.key" };
    assert.deepEqual(parseConfig(text, "makuosan.conf"), shipped);
  });

  test("is read without error when all settings are uncommented", () => {
    const keys = Object.keys(parseConfig(uncommented, "makuosan.conf"));
    assert.deepEqual(
      keys,
      ALL_SETTINGS.map((setting) => setting.key),
    );
  });

  test("shows the defaults that the program has", () => {
    const given = parseConfig(uncommented, "makuosan.conf");
    const base = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-"));
    try {
      const defaults = resolveSettings({ base }, NO_CONFIG);
      for (const setting of ALL_SETTINGS.filter((one) => literalDefaultOf(one) !== undefined)) {
        const shown = { [setting.key]: given[setting.key] };
        assert.deepEqual(resolveSettings({ base }, { values: shown, places: {} }), defaults, setting.key);
      }
    } finally {
      fs.rmSync(base, { recursive: true });
    }
  });
});

void suite("a reload", () => {
  const reloaded = ALL_SETTINGS.filter((setting) => setting.reload).map(({ key }) => key);

  test("takes the settings that the documents name", () => {
    for (const file of ["etc/makuosan.conf", "packaging/man/makuosan.8", "packaging/man/makuosan.conf.5"]) {
      const [, named] = /The settings ([a-z, -]+) take effect/.exec(plainText(file)) ?? [];
      assert.deepEqual(named?.split(/, | and /), reloaded, file);
    }
  });
});

/** What kernels since Linux 6.17 have by themselves. */
const OF_KERNEL = 4 * 1024 * 1024;

test("packaging/makuosan.sysctl lets any user have the default socket buffers, and lowers no bound of a kernel", () => {
  const text = fs.readFileSync(path.join(ROOT, "packaging", "makuosan.sysctl"), "utf8");
  const defaults = resolveSettings({ base: ROOT }, NO_CONFIG);
  const boundOf = (name: string) =>
    Number(new RegExp(`^net\\.core\\.${name} = (\\d+)$`, "m").exec(text)?.[1]);
  assert.ok(boundOf("rmem_max") >= Math.max(defaults.receiveBufferBytes, OF_KERNEL));
  assert.ok(boundOf("wmem_max") >= Math.max(defaults.sendBufferBytes, OF_KERNEL));
});

/** The entry of a setting in makuosan.conf(5). */
function keyTag({ key, option, form }: TableSetting): string {
  const value = form.kind === "flag" ? "yes | no" : (/<(.*)>/.exec(option)?.[1] ?? "").toUpperCase();
  return `${key} = ${value}`;
}

/** A value that is not the default. */
function exampleOf({ form, example }: TableSetting): string {
  if (form.kind === "flag") return "yes";
  return form.range === undefined ? (example ?? "x") : String(form.range[0]);
}

function plainText(file: string): string {
  return fs
    .readFileSync(path.join(ROOT, file), "utf8")
    .replace(/^(?:\.B|#) /gm, "")
    .replaceAll("\n", " ");
}
