import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../src/base/user-error.ts";
import { parseConfig, readEnvironment } from "../../src/daemon/settings/config.ts";

test("the environment says what it always said, and empty variables say nothing", () => {
  const environment = {
    MAKUOSAN_BASE: "/srv",
    MAKUOSAN_PORT: "5001",
    MAKUOSAN_USER: "www-data",
    MAKUOSAN_GROUP: "",
    MAKUOSAN_GROUPS: "a,b",
    MAKUOSAN_SOCK: "/run/x.sock",
    OTHER: "x",
  };
  assert.deepEqual(readEnvironment(environment), {
    base: "/srv",
    port: 5001,
    user: "www-data",
    groups: ["a", "b"],
    socket: "/run/x.sock",
  });
  assert.throws(
    () => readEnvironment({ MAKUOSAN_PORT: "many" }),
    /^UserError: MAKUOSAN_PORT is 'many': give a whole/,
  );
});

test("a list may stand on several lines", () => {
  const given = parseConfig('exclude = *.log, cache/\nexclude[] = "#*#"\nexclude[] = a b\n', "conf");
  assert.deepEqual(given.exclude, ["*.log", "cache/", "#*#", "a b"]);
  assert.deepEqual(parseConfig("labels = web, tokyo\n", "conf"), { labels: ["web", "tokyo"] });
  assert.throws(() => parseConfig("base[] = x\n", "conf"), UserError);
  assert.throws(() => parseConfig("exclude = a,,b\n", "conf"), /conf:1: exclude has an empty place/);
});
