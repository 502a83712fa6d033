import type { Expectation } from "./announced.ts";
import { check } from "./check.ts";
import type { DiskTrouble } from "./disk-trouble.ts";
import type { Machine } from "./machine.ts";
import { type Picture, pictureOf } from "./picture.ts";

/** Watches a commit: nothing goes before all that is new is there. */
export function watchOrder(
  machine: Machine,
  trouble: DiskTrouble,
  name: string,
  before: Picture,
  { picture, alternatives }: Expectation,
): void {
  const isSure = (path: string) => !alternatives.has(path);
  const going = [...before.keys()].filter((path) => !picture.has(path) && isSure(path));
  const coming = [...picture].filter(
    ([path, text]) => text !== before.get(path) && !text.startsWith("directory") && isSure(path),
  );
  const isReplaced = (path: string) => coming.some(([other]) => path.startsWith(`${other}/`));
  const deleted = going.filter((path) => !isReplaced(path));
  if (deleted.length === 0 || coming.length === 0) return;
  trouble.watch = ({ kind }) => {
    // A step that failed is told, and keeps no other from being done.
    if ((kind !== "rename" && kind !== "unlink") || trouble.hasMet) return;
    const now = pictureOf(machine.disk);
    const gone = deleted.find((path) => !now.has(path));
    const missing = gone === undefined ? undefined : coming.find(([path, text]) => now.get(path) !== text);
    check(missing === undefined, `${machine.name} deletes ${gone} before ${missing?.[0]} is new, ${name}`);
  };
}
