import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { readServiceUnit, restrictionOf } from "../../src/daemon/service/service-unit.ts";
import { checkConfig } from "../../src/daemon/check-config.ts";
import { readConfig } from "../../src/daemon/settings/config.ts";
import { resolveSettings } from "../../src/daemon/settings/settings.ts";

/** What the sandbox of the service keeps from the daemon, told by a check of the config before it is started. */

const SOURCES = path.join(import.meta.dirname, "../..");
const PACKAGED = fs.readFileSync(path.join(SOURCES, "systemd/makuosan.service"), "utf8");
const STRICT = fs.readFileSync(path.join(SOURCES, "packaging/examples/strict.conf"), "utf8");

/** A file system with the unit of the packages and these drop-ins, by their paths. */
function unitWith(context: TestContext, dropIns: Record<string, string> = {}, main = PACKAGED) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-unit-"));
  context.after(() => fs.rmSync(root, { recursive: true, force: true }));
  const files = { "usr/lib/systemd/system/makuosan.service": main, ...dropIns };
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text);
  }
  const unit = readServiceUnit(root);
  assert.ok(unit !== undefined);
  return unit;
}

const OVERRIDE = "etc/systemd/system/makuosan.service.d/override.conf";

test("a host without the service restricts nothing", (context) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-unit-"));
  context.after(() => fs.rmSync(root, { recursive: true, force: true }));
  assert.equal(readServiceUnit(root), undefined);
});

test("the service of the packages has directories for temporary files of its own, and does not write in /etc", (context) => {
  const unit = unitWith(context);
  const temporary = { isHidden: true, line: "PrivateTmp=no" };
  assert.deepEqual(restrictionOf(unit, "/tmp", true), temporary);
  assert.deepEqual(restrictionOf(unit, "/tmp/www", true), temporary);
  assert.deepEqual(restrictionOf(unit, "/var/tmp/key", false), temporary);
  assert.deepEqual(restrictionOf(unit, "/etc/nginx", true), {
    isHidden: false,
    line: "ReadWritePaths=/etc/nginx",
  });
  for (const free of ["/srv/www", "/home/www", "/var/lib/makuosan", "/run/makuosan/makuosan.sock", "/tmpfs"])
    assert.equal(restrictionOf(unit, free, true), undefined, free);
  assert.equal(restrictionOf(unit, "/etc/makuosan.key", false), undefined);
});

test("drop-ins lift restrictions, and add others", (context) => {
  const lines = [
    ...["[Unit]", "PrivateTmp=yes", "[Service]", "PrivateTmp=false", "ProtectHome=tmpfs"],
    ...["BindPaths=/disk/www:/home/www", "ReadWritePaths=-/etc/nginx \\", '  "/etc/a b"'],
    ...["InaccessiblePaths=/gone", "InaccessiblePaths=", "ReadOnlyPaths=/srv"],
  ];
  const unit = unitWith(context, { [OVERRIDE]: lines.join("\n") });
  for (const free of ["/tmp/www", "/home/www/a", "/etc/nginx/conf.d", "/etc/a b", "/gone"])
    assert.equal(restrictionOf(unit, free, true), undefined, free);
  assert.deepEqual(restrictionOf(unit, "/home/other", false), { isHidden: true, line: "ProtectHome=no" });
  assert.deepEqual(restrictionOf(unit, "/srv/www", true)?.line, "ReadWritePaths=/srv/www");
});

test("of drop-ins with one name that of the administrator counts, and the last name decides", (context) => {
  const unit = unitWith(context, {
    [OVERRIDE]: "[Service]\nPrivateTmp=no\n",
    "usr/lib/systemd/system/makuosan.service.d/override.conf": "[Service]\nPrivateTmp=yes\n",
    "run/systemd/system/makuosan.service.d/50-first.conf": "[Service]\nProtectSystem=strict\n",
    "run/systemd/system/makuosan.service.d/60-then.conf": "[Service]\nProtectSystem=no\n",
  });
  assert.equal(restrictionOf(unit, "/tmp/www", true), undefined);
  assert.equal(restrictionOf(unit, "/usr/www", true), undefined);
});

test("the strict example writes in its base directory and its state only", (context) => {
  const unit = unitWith(context, { [OVERRIDE]: STRICT });
  for (const free of ["/srv/makuosan/a", "/var/lib/makuosan", "/run/makuosan/x"])
    assert.equal(restrictionOf(unit, free, true), undefined, free);
  assert.deepEqual(restrictionOf(unit, "/var/www", true)?.line, "ReadWritePaths=/var/www");
  assert.equal(restrictionOf(unit, "/home/www", true)?.line, "ProtectHome=no");
});

test("a unit that is masked, or no file, is no unit", (context) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-unit-"));
  context.after(() => fs.rmSync(root, { recursive: true, force: true }));
  fs.mkdirSync(path.join(root, "etc/systemd/system"), { recursive: true });
  fs.symlinkSync("/dev/null", path.join(root, "etc/systemd/system/makuosan.service"));
  assert.equal(readServiceUnit(root), undefined);
});

test("a check of the config names what the service would not see, and where it is set", (context) => {
  const unit = unitWith(context);
  const directory = fs.mkdtempSync("/tmp/makuosan-check-");
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  const config = path.join(directory, "conf");
  fs.writeFileSync(config, `# here\nbase = ${directory}\nsocket = /etc/makuosan.sock\n`);
  const settings = resolveSettings({}, readConfig(config));
  assert.deepEqual(checkConfig(settings, config, unit), [
    `${config}:2: base: ${directory} is hidden by the sandbox of the service: name another place, or write PrivateTmp=no below [Service] in 'systemctl edit makuosan'`,
    `${config}:3: socket: /etc is read-only for the service: name another place, or write ReadWritePaths=/etc below [Service] in 'systemctl edit makuosan'`,
  ]);
  assert.deepEqual(checkConfig(settings, config, new Map()), []);
});
