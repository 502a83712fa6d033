import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceGate, type SourceRules } from "../../src/net/source-gate.ts";
import type { ScatteredMessage } from "../../src/sys/datagram-reader.ts";

const ETH0: SourceRules = {
  ip: "10.77.0.1",
  port: 5000,
  network: { ip: "10.77.0.1", netmask: "255.255.255.0" },
  others: [],
};

/** Which of these sources get through, as datagrams and as trains alike. */
function admitted(rules: SourceRules, sources: readonly [ip: string, port: number][]): string[] {
  const heard: string[] = [];
  const handler = {
    takeDatagrams: (_bytes: Buffer, _start: number, _end: number, ip: string, port: number) =>
      void heard.push(`${ip}:${port}`),
    takeTrain: ({ ip, port }: ScatteredMessage) => heard.push(`train ${ip}:${port}`) > 0,
  };
  const gate = new SourceGate(handler, rules);
  for (const [ip, port] of sources) {
    gate.takeDatagrams(Buffer.alloc(1), 0, 1, ip, port);
    const train = { headers: Buffer.alloc(1), headersStart: 0, page: 0, sizeBytes: 1, ip, port };
    assert.equal(gate.takeTrain(train), true, "a train that is dropped is not handed over in pieces");
  }
  assert.equal(gate.dropped, 2 * sources.length - heard.length, "all others are counted");
  const trains = heard.filter((one) => one.startsWith("train ")).map((one) => one.slice(6));
  const datagrams = heard.filter((one) => !one.startsWith("train "));
  assert.deepEqual(trains, datagrams);
  return datagrams;
}

test("only the port of the fleet is heard", () => {
  assert.deepEqual(
    admitted(ETH0, [
      ["10.77.0.2", 5000],
      ["10.77.0.2", 5001],
      ["10.77.0.2", 0],
      ["192.0.2.7", 5000],
    ]),
    ["10.77.0.2:5000", "192.0.2.7:5000"],
  );
});

test("the loopback network and the others do not hear each other", () => {
  const sources: [string, number][] = [
    ["127.0.0.2", 5000],
    ["127.8.0.2", 5000],
    ["10.77.0.2", 5000],
  ];
  assert.deepEqual(admitted(ETH0, sources), ["10.77.0.2:5000"]);
  const lo = { ...ETH0, ip: "127.0.0.1", network: { ip: "127.0.0.1", netmask: "255.0.0.0" } };
  assert.deepEqual(admitted(lo, sources), ["127.0.0.2:5000", "127.8.0.2:5000"]);
});

test("if the kernel does not tell interfaces apart, the networks of the others are not heard", () => {
  const others = [
    { ip: "10.78.0.1", netmask: "255.255.255.0" },
    { ip: "10.0.0.1", netmask: "255.0.0.0" },
  ];
  assert.deepEqual(
    admitted({ ...ETH0, others }, [
      ["10.77.0.9", 5000],
      ["10.78.0.9", 5000],
      ["10.79.0.9", 5000],
      ["192.0.2.7", 5000],
    ]),
    ["10.77.0.9:5000", "192.0.2.7:5000"],
    "its own network is heard, though it is a part of another one; so is what lies in none",
  );
});

test("new rules hold from the next datagram on", () => {
  const heard: string[] = [];
  const gate = new SourceGate(
    { takeDatagrams: (_bytes, _start, _end, ip) => void heard.push(ip), takeTrain: () => true },
    ETH0,
  );
  const knock = () => gate.takeDatagrams(Buffer.alloc(1), 0, 1, "127.0.0.2", 5000);
  knock();
  gate.rules = { ...ETH0, ip: "127.0.0.1" };
  knock();
  assert.deepEqual(heard, ["127.0.0.2"]);
});
