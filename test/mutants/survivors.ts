import type { Mutation } from "./mutations.ts";

/**
 * The list of mutants that may survive, each with its reason. A mutant is found by its file, the line of code that it begins
 * in, and its change, so that edits elsewhere in the file leave the list as it is:
 *
 *     src/folder/file.ts
 *       code:   if (count < most) return;
 *       change: count < most  ->  count <= most
 *       why:    a sentence, which may go on
 *               in lines that are indented further
 *
 * Several changes may stand below one line of code; the reason is that of all of them.
 */
export class Survivors {
  private readonly reasons = new Map<string, string>();
  private readonly unused: Map<string, string>;

  /** @throws for an entry without a reason, or one that is not understood */
  constructor(text: string) {
    for (const paragraph of paragraphsOf(text)) this.add(paragraph);
    this.unused = new Map([...this.reasons.keys()].map((key) => [key, key.replaceAll("\n", ": ")]));
  }

  /** Why a mutant may survive; undefined where the list does not say so. */
  reasonOf(mutation: Mutation): string | undefined {
    const key = keyOf(mutation.file, mutation.code, mutation.change);
    this.unused.delete(key);
    return this.reasons.get(key);
  }

  /** Entries of these files that no mutant was found by: their code has changed, or a test catches them by now. */
  unusedOf(files: ReadonlySet<string>): string[] {
    return [...this.unused].filter(([key]) => files.has(key.split("\n")[0] ?? "")).map(([, text]) => text);
  }

  private add({ file, code, changes, why }: Paragraph): void {
    if (file === "" || code === "" || changes.length === 0 || why === "")
      throw new Error(`the list of survivors has an entry that is not whole: ${file} ${code}`);
    for (const change of changes) this.reasons.set(keyOf(file, code, change), why);
  }
}

interface Paragraph {
  file: string;
  code: string;
  changes: string[];
  why: string;
}

function keyOf(file: string, code: string, change: string): string {
  return [file, code, change].join("\n");
}

function paragraphsOf(text: string): Paragraph[] {
  const paragraphs: Paragraph[] = [];
  let file = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    if (!line.startsWith(" ")) {
      file = line;
      continue;
    }
    const [, label, content] = /^ {2}(code|change|why): +(.*)$/.exec(line) ?? [];
    if (label === "code") paragraphs.push({ file, code: content ?? "", changes: [], why: "" });
    const last = paragraphs.at(-1);
    if (last === undefined) throw new Error(`the list of survivors begins with: ${line}`);
    if (label === "change") last.changes.push(content ?? "");
    else if (label === "why") last.why = content ?? "";
    else if (label === undefined && last.why !== "") last.why += ` ${line.trim()}`;
    else if (label === undefined) throw new Error(`not understood in the list of survivors: ${line}`);
  }
  return paragraphs;
}
