/** Where a disk thread begins. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../base/assert.ts";
import type { WorkerSettings } from "./messages.ts";
import { runDriftThread } from "./drift-thread.ts";
import { runSourceThread } from "./source-thread.ts";
import { runStageThread } from "./stage-thread.ts";

/** Where a disk thread begins. In the one executable this file is a bundle of its own. */

assert(parentPort !== null, "this file is run as a worker thread");
const settings = workerData as WorkerSettings;
if (settings.role === "source") runSourceThread(parentPort, settings);
else if (settings.role === "stage") runStageThread(parentPort, settings);
else runDriftThread(parentPort, settings);
