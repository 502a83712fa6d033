import assert from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { test, type TestContext } from "node:test";
import prometheus from "prom-client";
import { Metrics } from "../../src/daemon/metrics/metrics.ts";
import { MetricsServer } from "../../src/daemon/metrics/metrics-server.ts";
import { parseMetricsPlace } from "../../src/daemon/settings/metrics-place.ts";
import { STATUS } from "../support/status-info.ts";

/** Sends a request and gives the answer; the connection is closed by the server. */
function ask(
  port: number,
  method: string,
  path: string,
): Promise<{ status: number; type: string; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, method, path, agent: false }, (response) => {
      let body = "";
      response.on("data", (bytes: Buffer) => (body += bytes.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"] ?? "", body }),
      );
    });
    request.on("error", reject);
    request.end();
  });
}

async function served(
  context: TestContext,
  metrics: Metrics,
  health: () => string | undefined,
  nowMs?: () => number,
): Promise<number> {
  // Any port that is free.
  const server = await MetricsServer.open({ ip: "127.0.0.1", port: 0 }, metrics, health, nowMs);
  context.after(() => server.close());
  return server.port;
}

/**
 * Reads the text format as its description has it: a HELP and a TYPE line before the samples of a name, and no sample twice.
 *
 * @returns the samples by name and labels, and the type of each metric
 */
function parse(text: string): { samples: Map<string, number>; types: Map<string, string> } {
  assert.ok(text.endsWith("\n"));
  const [samples, types, helps] = [new Map<string, number>(), new Map<string, string>(), new Set<string>()];
  for (const line of text.split("\n").filter((one) => one !== "")) {
    const help = /^# HELP (\S+) .+$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) helps.add(help[1] ?? "");
    else if (type !== null) types.set(type[1] ?? "", type[2] ?? "");
    else {
      const [, name = "", labels = "", value = ""] =
        /^([a-zA-Z_:][\w:]*)(\{(?:[a-z_]+="[^"\\]*",?)+\})? (-?[\d.e+]+|\+Inf)$/.exec(line) ?? [];
      assert.notEqual(name, "", line);
      const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
      assert.ok(types.has(family) && helps.has(family), `${line} stands after its type`);
      assert.ok(!samples.has(name + labels), `${line} comes once`);
      samples.set(name + labels, Number(value));
    }
  }
  return { samples, types };
}

test("the metrics are in the text format, with names as the conventions want them", async (context) => {
  const metrics = new Metrics(prometheus, () => STATUS);
  const hosts = [{ outcome: "done" }, { outcome: "failed" }, { outcome: "done" }];
  metrics.notePush({ exitStatus: 3, durationMs: 700, sentEntries: 4, sentBytes: 5_000, hosts });
  metrics.noteFragments(100, 5);
  metrics.noteReceipt({ outcome: "done", entries: 6, bytes: 7_000 });
  const { status, type, body } = await ask(
    await served(context, metrics, () => undefined),
    "GET",
    "/metrics",
  );
  assert.equal(status, 200);
  assert.match(type, /^text\/plain; version=0\.0\.4/);
  const { samples, types } = parse(body);
  for (const [name, kind] of types) {
    assert.match(name, /^(makuosan|process)_[a-z_]+$/);
    assert.equal(name.endsWith("_total"), kind === "counter", `${name} is a ${kind}`);
    assert.doesNotMatch(name, /_(ms|mib|milliseconds|kilobytes)/, "base units alone");
  }
  const expected = {
    'makuosan_build_info{version="2.1.0",protocol="3"}': 1,
    'makuosan_hosts{state="member"}': 3,
    'makuosan_hosts{state="lost"}': 1,
    'makuosan_hosts{state="foreign-key"}': 2,
    'makuosan_hosts{state="mute"}': 0,
    'makuosan_pushes_total{status="3"}': 1,
    'makuosan_push_duration_seconds_bucket{le="0.5"}': 0,
    'makuosan_push_duration_seconds_bucket{le="1"}': 1,
    'makuosan_push_members_total{outcome="done"}': 2,
    makuosan_sent_bytes_total: 5_000,
    makuosan_repaired_fragments_total: 5,
    makuosan_received_bytes_total: 7_000,
    'makuosan_rejected_packets_total{reason="malformed"}': 13,
    makuosan_spoiled_blocks_total: 16,
    makuosan_send_errors_total: 17,
    makuosan_kernel_dropped_packets_total: 18,
    makuosan_interface_up: 1,
    makuosan_pushes_waiting: 2,
    makuosan_behind_pushes: 0,
    makuosan_behind_since_seconds: 0,
    process_resident_memory_bytes: 1_000_000,
  };
  for (const [sample, value] of Object.entries(expected)) assert.equal(samples.get(sample), value, sample);
});

test("counts of what has not happened yet are 0, so that the first time shows as an increase", async () => {
  const { samples } = parse(await new Metrics(prometheus, () => STATUS).text());
  for (const sample of [
    'makuosan_pushes_total{status="0"}',
    'makuosan_pushes_total{status="3"}',
    'makuosan_push_members_total{outcome="failed"}',
    'makuosan_received_transfers_total{outcome="failed"}',
  ])
    assert.equal(samples.get(sample), 0, sample);
});

test("a second look sees the state of then, and counts nothing twice", async () => {
  let status = STATUS;
  const metrics = new Metrics(prometheus, () => status);
  await metrics.text();
  status = { ...STATUS, members: 1, malformedPackets: 20, copy: "web1 (10.0.0.2) is a copy of this host" };
  const publications = { behind: 2, catchesUp: true, since: "1970-01-01T00:01:00.000Z", reason: "" };
  status = { ...status, publications };
  const { samples } = parse(await metrics.text());
  assert.equal(samples.get('makuosan_hosts{state="member"}'), 1);
  assert.equal(samples.get('makuosan_rejected_packets_total{reason="malformed"}'), 20);
  assert.equal(samples.get("makuosan_clone_found"), 1);
  assert.equal(samples.get("makuosan_behind_pushes"), 2);
  assert.equal(samples.get("makuosan_behind_since_seconds"), 60);
});

test("one text looks at the state of the daemon once", async () => {
  let looks = 0;
  const metrics = new Metrics(prometheus, () => {
    looks++;
    return STATUS;
  });
  await metrics.text();
  assert.equal(looks, 1);
});

test("health is told by the status, and nothing but GET and HEAD is answered", async (context) => {
  const health: { reason?: string } = {};
  const port = await served(context, new Metrics(prometheus, () => STATUS), () => health.reason);
  assert.deepEqual(await ask(port, "GET", "/healthz?x"), {
    ...{ status: 200, type: "text/plain; charset=utf-8", body: "ok\n" },
  });
  health.reason = "the interface eth0 is down";
  const { status, body } = await ask(port, "GET", "/healthz");
  assert.deepEqual([status, body], [503, "the interface eth0 is down\n"]);
  assert.equal((await ask(port, "HEAD", "/metrics")).body, "");
  assert.equal((await ask(port, "POST", "/metrics")).status, 405);
  assert.equal((await ask(port, "GET", "/")).status, 404);
});

test("a client that asks often hears the same for a second, which costs nothing", async (context) => {
  let looks = 0;
  let nowMs = 0;
  const metrics = new Metrics(prometheus, () => {
    looks++;
    return STATUS;
  });
  const port = await served(
    context,
    metrics,
    () => undefined,
    () => nowMs,
  );
  const { body } = await ask(port, "GET", "/metrics");
  const once = looks;
  assert.ok(once > 0);
  nowMs = 999;
  for (let count = 0; count < 10; count++) assert.equal((await ask(port, "GET", "/metrics")).body, body);
  assert.equal(looks, once);
  nowMs = 1_000;
  await ask(port, "GET", "/metrics");
  assert.equal(looks, 2 * once);
});

test("connections are bounded", async (context) => {
  const port = await served(context, new Metrics(prometheus, () => STATUS), () => undefined);
  const sockets = await Promise.all(
    Array.from({ length: 16 }, () => {
      const socket = net.connect(port, "127.0.0.1");
      context.after(() => socket.destroy());
      return new Promise<net.Socket>((resolve) => socket.once("connect", () => resolve(socket)));
    }),
  );
  const late = net.connect(port, "127.0.0.1");
  await new Promise<void>((resolve) => {
    late.on("error", () => undefined);
    late.once("close", () => resolve());
  });
  assert.ok(sockets.every((socket) => !socket.destroyed));
});

test("the address of the metrics is this host's alone unless another one is named", () => {
  assert.deepEqual(parseMetricsPlace("9708"), { ip: "127.0.0.1", port: 9708 });
  assert.deepEqual(parseMetricsPlace("10.0.0.1:9708"), { ip: "10.0.0.1", port: 9708 });
  assert.deepEqual(parseMetricsPlace("[::1]:9708"), { ip: "::1", port: 9708 });
  for (const wrong of ["", "host:9708", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", ":9708"])
    assert.throws(() => parseMetricsPlace(wrong), /give an address and a TCP port/);
});

test("an address that is taken is an error that names the setting", async (context) => {
  const metrics = new Metrics(prometheus, () => STATUS);
  const port = await served(context, metrics, () => undefined);
  await assert.rejects(
    MetricsServer.open({ ip: "127.0.0.1", port }, metrics, () => undefined),
    /the metrics cannot be served on 127\.0\.0\.1:\d+ \(EADDRINUSE\): choose another address with --metrics/,
  );
});
