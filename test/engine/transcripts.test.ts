import { test } from "node:test";
import { NO_FAULTS } from "../simulation/network.ts";
import { compareTranscript } from "./transcript.ts";
import { entries, TranscribedHosts } from "./transcribed-hosts.ts";

/** Whole nodes talk to each other: every word is in a file, see transcript.ts. */

/** Hosts that have become members of each other. */
function fleet(hosts: number, seed: number): TranscribedHosts {
  const world = new TranscribedHosts(hosts, seed);
  world.runUntil(4_000);
  world.take();
  return world;
}

test("transcript: three nodes meet, one says goodbye, one falls silent, one starts again", () => {
  const world = new TranscribedHosts(3, 1);
  const [, second, third] = world.hosts;
  world.network.faults = { ...NO_FAULTS, receiverLoss: 0.3 };
  world.runUntil(20_000);
  world.mark("2 says goodbye and 3 is cut off");
  second!.handle({ kind: "stop" });
  second!.crash();
  world.network.partition(third!.ip, true);
  world.runUntil(100_000);
  world.mark("3 is back, and 2 starts again");
  world.network.partition(third!.ip, false);
  world.start(1, "9", second!.disk);
  world.runUntil(120_000);
  compareTranscript("membership", world.take());
});

test("transcript: a transfer without loss", () => {
  const world = fleet(3, 2);
  world.hosts[0]!.startTransfer(1, entries(7, 3), false, false);
  world.runUntil(4_300);
  compareTranscript("lossless", world.take());
});

test("transcript: a transfer of which a lot gets lost", () => {
  const world = fleet(3, 3);
  world.network.faults = { ...NO_FAULTS, receiverLoss: 0.15, switchLoss: 0.03, forged: 0.01 };
  world.hosts[0]!.startTransfer(1, entries(12, 6), false, false);
  world.runUntil(8_000);
  compareTranscript("lossy", world.take());
});

test("transcript: three transfers at a time, to and from everybody", () => {
  const world = fleet(3, 4);
  for (const [index, host] of world.hosts.entries())
    host.startTransfer(index + 1, entries(3, 4), false, false);
  world.runUntil(4_400);
  compareTranscript("crossing", world.take());
});

test("transcript: ends of all kinds", () => {
  const world = fleet(3, 5);
  const [first, second, third] = world.hosts;
  world.mark("a dry run");
  first!.startTransfer(1, entries(3, 1), true, false);
  world.runUntil(5_000);
  world.mark("cancelled");
  first!.startTransfer(2, entries(3, 30), false, false);
  world.runUntil(5_004);
  first!.handle({ kind: "cancel-transfer", transfer: 2, reason: "interrupted" });
  world.runUntil(6_000);
  world.mark("a disk that fails");
  world.diskFaults.staging = 1;
  second!.startTransfer(3, entries(1, 1), false, true);
  world.runUntil(7_000);
  world.diskFaults.staging = 0;
  world.mark("a member that hangs");
  third!.crash();
  world.told.add(first!.ip);
  first!.startTransfer(4, entries(2, 1), false, false);
  world.runUntil(13_000);
  world.mark("a sender that hangs");
  world.told.add(second!.ip);
  first!.startTransfer(5, entries(2, 20), false, false);
  world.runUntil(13_003);
  first!.crash();
  world.runUntil(13_200);
  const begin = world.take();
  world.runUntil(27_900);
  world.take();
  world.runUntil(29_000);
  compareTranscript("ends", [...begin, ...world.take()]);
});

test("transcript: one of twelve members, which spread their answers", () => {
  const world = fleet(13, 6);
  for (const ip of ["10.0.0.1", "10.0.0.2"]) world.told.add(ip);
  world.network.faults = { ...NO_FAULTS, receiverLoss: 0.1 };
  world.hosts[0]!.startTransfer(1, entries(8, 3), false, false);
  world.runUntil(7_000);
  compareTranscript("spread", world.take());
});
