/** The entry of a disk thread in the one executable. */
import { runProgram } from "../sys/programs.ts";

runProgram("worker");
