import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, suite, test } from "node:test";
import { type GivenSettings, parseConfig } from "../../src/daemon/settings/config.ts";
import { parseArguments } from "../../src/daemon/settings/options.ts";
import { resolveSettings } from "../../src/daemon/settings/settings.ts";

/** How the settings of all places become the ones that count. */

const BASE = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-")));
after(() => fs.rmSync(BASE, { recursive: true }));

const resolve = (options: GivenSettings, config: GivenSettings = {}) =>
  resolveSettings({ base: BASE, ...options }, { values: config, places: {} });

void suite("the settings that count", () => {
  test("are those of the command line before those of the config file, and else the defaults", () => {
    const settings = resolve({ port: 1, receive: false }, { port: 2, rate: 800 });
    const { port, rateMbps, receives, sends, multicast } = settings;
    assert.deepEqual(
      { port, rateMbps, receives, sends, multicast },
      { port: 1, rateMbps: 800, receives: false, sends: true, multicast: "224.0.0.108" },
    );
  });

  test("are checked only if they count", () => {
    const config = parseConfig("loglevel = loud\nmulticast = 10.0.0.1\n", "conf");
    const { settings } = parseArguments(["-d", "4", "-m", "239.0.0.1"]);
    assert.equal(resolve(settings, config).logLevel, "debug");
    assert.throws(() => resolve({ multicast: "239.0.0.1" }, config), /the log level 'loud' does not exist/);
  });

  test("have absolute paths", () => {
    assert.equal(resolve({ key: "a/key" }).keyFile, path.resolve("a/key"));
  });

  test("have no socket if the console is off", () => {
    assert.equal(resolve({ console: false, socket: "/run/s" }).socket, undefined);
    assert.equal(resolve({ socket: "/run/s" }).socket, "/run/s");
  });

  test("have each label once, and patterns as bytes", () => {
    const { labels, excludes } = resolve({ labels: ["web", "web"], exclude: ["é"] });
    assert.deepEqual({ labels, excludes }, { labels: ["web"], excludes: ["\u00c3\u00a9"] });
  });

  test("have a limit of deletions as a number or as a share", () => {
    assert.deepEqual(resolve({}).deleteLimit, { entries: 100, percent: 50 });
    assert.deepEqual(resolve({ "delete-limit": "7" }).deleteLimit, { entries: 7, percent: undefined });
    assert.deepEqual(resolve({ "delete-limit": "0%" }).deleteLimit, { entries: 100, percent: 0 });
    assert.throws(
      () => resolve({ "delete-limit": "101%" }),
      /^UserError: delete-limit is '101%': give a number/,
    );
  });
});

void suite("the directory of the history", () => {
  const place = (state: string | undefined, managed: string | undefined) => {
    const before = process.env["STATE_DIRECTORY"];
    if (managed === undefined) delete process.env["STATE_DIRECTORY"];
    else process.env["STATE_DIRECTORY"] = managed;
    try {
      return resolve(state === undefined ? {} : { state }).state;
    } finally {
      if (before === undefined) delete process.env["STATE_DIRECTORY"];
      else process.env["STATE_DIRECTORY"] = before;
    }
  };
  const byDefault = "/var/lib/makuosan";

  test("is the default one, which may be missing", () => {
    assert.deepEqual(place(undefined, undefined), {
      directory: byDefault,
      isRequired: false,
      isManaged: false,
    });
  });

  test("is the first one that systemd made, if none is given", () => {
    assert.deepEqual(place(undefined, "/a:/b"), { directory: "/a", isRequired: false, isManaged: true });
  });

  test("is the given one, and the daemon needs it unless it is the default", () => {
    assert.deepEqual(place("/c", "/a"), { directory: "/c", isRequired: true, isManaged: false });
    assert.deepEqual(place(byDefault, "/a"), { directory: byDefault, isRequired: false, isManaged: false });
  });
});

test("a hook that a link leads to is the program behind the link: a push can change a link in the base directory", (context) => {
  const directory = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-hook-")));
  context.after(() => fs.rmSync(directory, { recursive: true }));
  const base = path.join(directory, "base");
  const program = path.join(directory, "program");
  const link = path.join(base, "hook");
  fs.mkdirSync(base);
  fs.writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  fs.symlinkSync(program, link);
  const { hooks } = resolve({ base, "pre-commit": link, "post-commit": link });
  assert.equal(hooks.preCommit, program);
  assert.equal(hooks.postCommit, program);
});
