import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { ConsoleServer } from "../../src/console/server.ts";
import { History } from "../../src/daemon/pushes/history.ts";
import { openSocketFor } from "../../src/daemon/service/socket-owner.ts";
import { setValues } from "../../src/daemon/settings/config-editor.ts";
import { giveDirectory, replaceFile } from "../../src/sys/own-files.ts";
import { NOBODY, whileRacing } from "../support/racer.ts";
import { asRoot, makeHome, race, Vault } from "./places.ts";

/** What root opens, makes and gives away in the directory of another user is never a link's target. */

const IDENTITY = { uid: NOBODY, gid: NOBODY, groups: [] };

const EXCHANGE_SOCKET = `
  const [place, target] = given;
  attempt(() => fs.symlinkSync(target, place + ".link"));
  if (fs.lstatSync(place).isSocket()) { fs.renameSync(place + ".link", place); fs.unlinkSync(place); }`;

test("a control socket that is exchanged for a link gives nothing away", asRoot, async (context) => {
  const vault = new Vault(context);
  const socket = path.join(makeHome(context, NOBODY), "socket");
  let opened = 0;
  let turns = 0;
  await whileRacing(
    EXCHANGE_SOCKET,
    [socket, vault.file],
    async () =>
      (turns = await race(async () => {
        try {
          (await openSocketFor(socket, IDENTITY, () => ConsoleServer.open(socket))).close();
          opened++;
        } catch {
          // The link stands where the socket should be.
        }
        vault.check();
      })),
  );
  context.diagnostic(`${turns} tries, ${opened} sockets`);
  assert.equal(process.geteuid?.(), 0);
  assert.ok(turns > 10 && opened > 0, `${turns} ${opened}`);
});

const COUNTS = { entries: 0, bytes: 0, durationMs: 0, exitStatus: 0 } as const;

const EXCHANGE_STATE = `
  const [directory, target] = given;
  for (const name of fs.readdirSync(directory)) {
    attempt(() => fs.symlinkSync(target, directory + "/link"));
    attempt(() => fs.renameSync(directory + "/link", directory + "/" + name));
  }
  for (const name of ["node-id", "node-id.new", "history-0123456789ab.jsonl"]) {
    attempt(() => fs.symlinkSync(target, directory + "/" + name));
    if (number % 3 === 0) attempt(() => fs.unlinkSync(directory + "/" + name));
  }`;

test("an id and a history that are exchanged for links overwrite nothing", asRoot, async (context) => {
  const vault = new Vault(context);
  const directory = makeHome(context, NOBODY);
  let written = 0;
  let turns = 0;
  await whileRacing(
    EXCHANGE_STATE,
    [directory, vault.file],
    async () =>
      (turns = await race(async (number) => {
        try {
          giveDirectory(directory, /^(node-id|history-.*)$/, NOBODY, NOBODY);
          replaceFile(path.join(directory, "node-id"), String(number), 0o600);
          written++;
        } catch {
          // The user is in the way.
        }
        try {
          const history = History.open(
            { directory, isRequired: true, isManaged: false },
            "/base",
            () => undefined,
          );
          history.add({ time: "now", direction: "sent", transfer: "1-1", from: "a", ...COUNTS, hosts: [] });
          await history.flush();
        } catch (error) {
          assert.ok(error instanceof UserError, String(error));
        }
        vault.check();
      })),
  );
  context.diagnostic(`${turns} tries, ${written} ids written`);
  assert.ok(turns > 10 && written > 0, `${turns} ${written}`);
});

const EXCHANGE_CONFIG = `
  const [file, target] = given;
  attempt(() => fs.symlinkSync(target, file + ".link"));
  attempt(() => fs.renameSync(file + ".link", file));
  attempt(() => fs.symlinkSync(target, file + ".new"));
  if (number % 3 === 0) { attempt(() => fs.unlinkSync(file)); attempt(() => fs.unlinkSync(file + ".new")); }`;

test("a config file that is exchanged for a link gives nothing another mode", asRoot, async (context) => {
  const vault = new Vault(context);
  const config = path.join(makeHome(context, NOBODY), "config");
  fs.writeFileSync(config, "port = 5000\n");
  fs.mkdirSync(`${config}.d`);
  fs.chownSync(`${config}.d`, NOBODY, NOBODY);
  let written = 0;
  let turns = 0;
  await whileRacing(
    EXCHANGE_CONFIG,
    [path.join(`${config}.d`, "50-set.conf"), vault.file],
    async () =>
      (turns = await race((number) => {
        try {
          setValues(config, [`port=${1024 + (number % 60_000)}`]);
          written++;
        } catch (error) {
          // The user is in the way.
          assert.ok(error instanceof UserError, String(error));
        }
        vault.check();
      })),
  );
  context.diagnostic(`${turns} tries, ${written} files written`);
  assert.ok(turns > 10 && written > 0, `${turns} ${written}`);
});
