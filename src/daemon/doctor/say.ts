/** How the doctor speaks to other hosts. */
import type { Destination } from "../../engine/types.ts";
import type { ExaminationMessage } from "../../wire/message.ts";

/** Sends a message of an examination. It may get lost. */
export type Say = (destination: Destination, message: ExaminationMessage) => void;
