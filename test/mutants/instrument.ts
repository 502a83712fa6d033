import ts from "typescript";
import { type Mutation, MutationFinder, type Site } from "./mutations.ts";

/** A source file with all of its mutants in it, each behind a switch. */
export interface Instrumented {
  /** Still TypeScript. */
  readonly text: string;
  readonly mutations: readonly Mutation[];
}

/** The name of the switch in the changed text. It is called with a mutant's number and says whether that one is on. */
const SWITCH = "__mutant";

/**
 * Puts all mutants of a file behind switches.
 *
 * @param file relative to the project's root
 * @param first the number of its first mutant; the others count up from there
 */
export function instrument(file: string, text: string, first: number): Instrumented {
  const finder = new MutationFinder(file, text);
  const mutations: Mutation[] = [];
  const numbers = new Map<Mutation, number>();
  for (const sites of finder.sites.values()) {
    for (const mutation of sites.flatMap((site) => site.mutations)) {
      numbers.set(mutation, first + mutations.length);
      mutations.push(mutation);
    }
  }
  const body = render(finder, numbers, finder.source);
  return { text: `const ${SWITCH} = globalThis.${SWITCH}; ${body}`, mutations };
}

/** The text of a node with the switches of all that lies in it. */
function render(finder: MutationFinder, numbers: ReadonlyMap<Mutation, number>, node: ts.Node): string {
  const { source } = finder;
  let position = ts.isSourceFile(node) ? 0 : node.getStart(source);
  let text = "";
  ts.forEachChild(node, (child) => {
    text += source.text.slice(position, child.getStart(source)) + render(finder, numbers, child);
    position = child.end;
  });
  text += source.text.slice(position, node.end);
  for (const site of finder.sites.get(node) ?? []) text = switched(site, numbers, text);
  return text;
}

function switched(site: Site, numbers: ReadonlyMap<Mutation, number>, text: string): string {
  const on = site.mutations.map((mutation) => `${SWITCH}(${numbers.get(mutation)})`);
  if (site.form === "statement") return `{if(!${on.join()}){${text}}}`;
  if (site.form === "block") return `{if(!${on.join()})${text}}`;
  const others = site.replacements.map((replacement, index) => `${on[index]}?(${replacement}):`);
  return `(${others.join("")}(${text}))`;
}
