import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "../support/host.ts";
import { namespaceProblem, NamespaceFleet } from "../support/namespaces.ts";

/** No other user of a host can bind the addresses of a daemon, and so take or read its packets. */

const skip = await namespaceProblem();
const NOBODY = 65534;

/** Binds an address in each way that Node knows; prints how each ended. */
const BINDER = `
const dgram = require("node:dgram");
const ways = [{}, { reuseAddr: true }, { reusePort: true }];
(async () => {
  for (const way of ways) {
    const socket = dgram.createSocket({ type: "udp4", ...way });
    const outcome = await new Promise((resolve) => {
      socket.once("error", (error) => resolve(error.code));
      socket.bind({ address: process.argv[1], port: 5000, exclusive: true }, () => resolve("bound"));
    });
    console.log(outcome);
    try { socket.close(); } catch {}
  }
})();`;

async function outcomes(host: Host, ip: string): Promise<string[]> {
  const become = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
  const { stdout } = await host.run("setpriv", [...become, process.execPath, "-e", BINDER, ip]);
  return stdout.trim().split("\n");
}

const REFUSED = ["EADDRINUSE", "EADDRINUSE", "EADDRINUSE"];

for (const [name, environment, options] of [
  ["with trains", {}, []],
  ["without trains", {}, ["--no-offload"]],
  ["without the library", { MAKUOSAN_WITHOUT_FFI: "1" }, []],
] as const) {
  test(`another user cannot bind what a daemon has bound, ${name}`, { skip }, async (suite) => {
    const fleet = await NamespaceFleet.create({ hosts: 1 });
    suite.after(() => fleet.destroy());
    const [host] = fleet.hosts as [Host];
    assert.deepEqual(
      await outcomes(host, "10.77.0.1"),
      ["bound", "bound", "bound"],
      "a user can bind it before",
    );
    host.environment = environment;
    await host.start(...options);
    for (const ip of ["10.77.0.1", "224.0.0.108", "0.0.0.0"])
      assert.deepEqual(await outcomes(host, ip), REFUSED, ip);
    await host.stop();
  });
}
