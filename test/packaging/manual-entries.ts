/** Reads the manual pages: their tagged paragraphs, and how they write options. */
import fs from "node:fs";
import path from "node:path";

const FOLDER = path.resolve(import.meta.dirname, "..", "..", "packaging", "man");

export interface Entry {
  readonly tag: string;
  readonly text: string;
}

/** The tagged paragraphs of a manual page, without their markup. */
export function entriesOf(page: string): Entry[] {
  const paragraphs = fs.readFileSync(path.join(FOLDER, page), "utf8").split(/^\.(?:TP|PP|SH|SS)\b.*\n/m);
  return paragraphs.map((paragraph) => {
    const [tag = "", ...text] = paragraph.split("\n");
    return { tag: withoutMarkup(tag), text: text.map(withoutMarkup).join(" ") };
  });
}

function withoutMarkup(line: string): string {
  return line
    .replace(/^\.[A-Z]+ /, "")
    .replace(/\\f[A-Z]/g, "")
    .replaceAll("\\-", "-");
}

/** The form of an option in the manual pages: what stands for a value is in capitals. */
export function asInManual(flags: string): string {
  return flags
    .replace(/<(.*)>/, (_, value: string) => value.toUpperCase())
    .replace(/\[(.*)\]/, (_, value: string) => `[${value.toUpperCase()}]`);
}
