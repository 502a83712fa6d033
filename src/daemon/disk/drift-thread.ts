/** The thread that compares the tree with what was published, for as long as that takes. */
import fs from "node:fs";
import os from "node:os";
import type { MessagePort } from "node:worker_threads";
import { Owners } from "../../tree/entries/owners.ts";
import { findDrift } from "../../tree/scan/drift.ts";
import { explain } from "../../tree/reasons/explain.ts";
import { readListFile } from "./list-files.ts";
import type { DriftAnswer, NamedList, WorkerSettings } from "./messages.ts";

/** The lowest priority: all other programs that want the processor or the disk come first. */
const IDLE_NICE = 19;

/** Looks for drift, answers once, and ends. */
export function runDriftThread(port: MessagePort, { base, lists, looks = [] }: WorkerSettings): void {
  yieldToOthers();
  port.postMessage(look());

  function look(): DriftAnswer {
    const found = { count: 0, sample: "", lists: new Set<string>() };
    try {
      const owners = new Owners();
      for (const { request, rules } of looks) {
        const { list: _list, published, ...rest } = rules;
        const drift = findDrift(base, owners, request, { ...rest, published: published?.map(read) });
        found.count += drift.count;
        found.sample ||= drift.sample;
        for (const list of drift.lists) found.lists.add(list);
      }
    } catch (error) {
      return { failure: explain(error) };
    }
    return { ...found, lists: [...found.lists] };
  }

  function read(list: NamedList) {
    return { ...list, bytes: readListFile(`${lists ?? ""}${list.name}`) };
  }
}

/** Linux has a priority for each thread. */
function yieldToOthers(): void {
  try {
    const thread = fs.readlinkSync("/proc/thread-self").split("/").at(-1);
    os.setPriority(Number(thread), IDLE_NICE);
  } catch {
    // A system that forbids it has other means to hold a service back.
  }
}
