/**
 * Checks the words of the project. docs/glossary.md explains the terms; `node scripts/check-words.ts` lists every place
 * that uses another word for one of them, or a phrase that is hard to read.
 *
 * Only text for people is read: documents without their examples, manual pages without their macros, comments and
 * sentences of programs, config files and completions. A mark replaces everything else, so that lines and columns stay
 * the same, and phrases are found across the end of a line.
 *
 * Everything except for main() is pure: a list of files in, a list of violations out.
 */
import path from "node:path";
import ts from "typescript";
import { readFiles, type SourceFile, type Violation } from "./project-files.ts";

/** A place with words to be written again. */
export interface WordViolation extends Violation {
  /** The words that were found, joined into one line. */
  found: string;
}

export interface Rule {
  /** The words to avoid, as docs/glossary.md lists them. */
  readonly word: string;
  readonly pattern: RegExp;
  /** The term or the advice that replaces them. */
  readonly use: string;
}

/** Replaces text that is not for people: it is no letter, no space and no end of a sentence. */
const MARK = "\u0000";

/** Between the end of a sentence, of a paragraph or of hidden text and the next sentence. */
const BEGIN = String.raw`(?<=^\s*|[.!?:;]["')]?\s+|${MARK}\s*)`;

/** The end of the sentence: a full stop, so that headings and questions are not reported. */
const STOP = String.raw`(?=[^.?!${MARK}]*\.(?:\s|${MARK}|$))`;

/** A verb that can follow a clause only if that clause is the subject of the sentence. */
const MAIN_VERB =
  String.raw`\s(?:is|are|was|were|does|will|would|must|may|can|cannot|has|have|stays?|goes|comes|counts|keeps?` +
  String.raw`|gets?|makes?|takes?|says?|sees?|arrives?|belongs?|becomes?|decides?|looks?|speaks?|waits?|knows?)(?=\s)`;

/** Words of one clause: neither a comma nor another clause begins in them. */
const SAME_CLAUSE = String.raw`(?:(?!\b(?:and|or|as|that|which|who|what|when|if|because)\b)[^,.?!:;${MARK}])*?`;

/** The rules for English text. Phrases may continue on the next line. */
export const RULES: readonly Rule[] = [
  // Terms.
  {
    word: "fit (a pattern)",
    pattern: phrase(
      "(?:patterns?|excludes?|wildcards?|names?) (?:\\w+ ){0,6}?fits?(?! (?:in|into|within|on|onto|to)\\b)",
      "fits? (?:no|any|every) (?:members?|names?|patterns?|entry|entries|path)",
      "(?:what|that) (?:this|it) fits(?! (?:in|into|within|on|onto|to)\\b)",
      "fits? (?:a|the|an exclude|this|that) pattern",
    ),
    use: "match",
  },
  {
    word: "pass over",
    pattern: phrase("pass(?:es|ed|ing)? over(?! (?:the|a) (?:network|wire|link))"),
    use: "skip",
  },
  { word: "mend", pattern: phrase("mend(?:s|ed|ing)?"), use: "fix" },
  {
    word: "get on",
    pattern: phrase("(?:get|gets|got|getting) on(?=\\s*(?:for|at|with|any|is|and|or|then|[.,;:)]|$))"),
    use: "make progress, or continue",
  },
  {
    word: "behind (for after)",
    pattern: new RegExp(
      String.raw`(?<!\b(?:fall|falls|fell|fallen|lag|lags|left|leave|leaves|far|is|are|be|not|never|nor|stay|stays|further|furthest)\s+)` +
        String.raw`\bbehind\b(?!\s+(?:(?:a|an|the|one|its)\s+)?(?:(?:\d+|\{\d\})\s+since|\$|in (?:everything|something)|firewall|router|NAT|proxy|tunnel|interface|front|\`|${MARK}))`,
      "gi",
    ),
    use: "after",
  },
  { word: "anew, afresh", pattern: phrase("anew", "afresh", "a new start"), use: "again, or restart" },
  {
    word: "whoever",
    pattern: phrase("who(?:so)?ever", "whomever", "whosever"),
    use: "anyone who, or the name of the part",
  },
  { word: "of its own accord", pattern: phrase("of (?:its|their|his|your) own accord"), use: "by itself" },
  { word: "to be had", pattern: phrase("(?:is|are|was|were|be) (?:not )?to be had"), use: "is available" },
  { word: "told of", pattern: phrase("told of"), use: "listed, reported, or learns of" },
  {
    word: "seen from (for paths)",
    pattern: phrase("seen from (?:the|this|its|that) (?:\\w+ )?(?:base|director(?:y|ies))"),
    use: "relative to",
  },
  { word: "further groups", pattern: phrase("further groups"), use: "supplementary groups" },
  { word: "but for", pattern: phrase("but for"), use: "except for" },
  { word: "all the same (for anyway)", pattern: phrase("all the same(?! (?:as|\\w+ as))"), use: "anyway" },
  {
    word: "comes of",
    pattern: phrase("(?:what|whatever) (?:came|comes|becomes?|became) of"),
    use: "the result of",
  },
  { word: "be it", pattern: phrase("be it(?! (?:is|was|that)\\b)"), use: "either … or" },
  { word: "for want of", pattern: phrase("for want of"), use: "without" },
  { word: "see to it", pattern: phrase("sees? to it"), use: "ensure" },
  { word: "whether it is that", pattern: phrase("(?:where|whether) it is that"), use: "if" },
  {
    word: "here, there (for hosts)",
    pattern: phrase(
      "(?:delete|deleted|deletes|superfluous|missing) (?:there|here)(?! (?:is|are|was|were)\\b)",
      "what is (?:not |gone |missing )?here",
      "(?:is|are) (?:not|gone) here(?= (?:is|are|and|but|on|[.,;:)]))",
      "gone here",
    ),
    use: "on the sender, on the member",
  },
  {
    word: "therein, whereof, hitherto",
    pattern: phrase(
      "(?:there|here|where)(?:in|of|to|upon|unto|with)",
      "hitherto",
      "whence",
      "thence",
      "henceforth",
      "albeit",
      "lest",
      "forthwith",
    ),
    use: "a word of today",
  },
  // Sentences whose subject is a clause, and conditions.
  {
    word: "who … (as a subject)",
    pattern: new RegExp(
      `${BEGIN}Who\\s+(?!an?\\b|the\\b|this\\b|its?\\b|each\\b|they\\b)\\w+\\b${SAME_CLAUSE}${MAIN_VERB}${STOP}`,
      "g",
    ),
    use: "a subject with a name: members of …, a program that …",
  },
  {
    word: "what … (as a subject)",
    pattern: new RegExp(
      `${BEGIN}What(?:ever)?\\s+(?:` +
        // "What exceeds its limit is dropped."
        `(?!this\\b|its\\b|has\\b|others\\b|members\\b|hosts\\b|nodes\\b|stats\\b)(?:\\w+s|may|must|can|cannot|went|came)\\b${SAME_CLAUSE}${MAIN_VERB}|` +
        // "What the sender does not have goes away."
        `(?:an?|the|its?|they|each|every|this|only)\\b${SAME_CLAUSE}\\s(?:has|have|does|is|are|was|may|fits?|needs?)\\b` +
        `(?!\\s+to\\b)${SAME_CLAUSE}${MAIN_VERB}|` +
        // "What two hosts have committed, they have in the same order."
        `${SAME_CLAUSE},\\s+(?:they|it)\\b)${STOP}`,
      "g",
    ),
    use: "a subject with a name",
  },
  {
    word: "where (for if)",
    pattern: new RegExp(
      `${BEGIN}Where\\b[^,.?!:;${MARK}]{1,160},\\s+` +
        `(?:the|it|they|this|these|that|nothing|no|nobody|each|all|every\\w*|an?|some|one|its|members|hosts)\\b${STOP}`,
      "g",
    ),
    use: "if",
  },
];

/** The rules for Japanese text. */
export const JAPANESE_RULES: readonly Rule[] = [
  { word: "ディレクトリー", pattern: /ディレクトリー/g, use: "ディレクトリ" },
  { word: "こちら", pattern: /こちら/g, use: "送信側" },
  { word: "相手", pattern: /相手/g, use: "受信側" },
  { word: "パターンに合う", pattern: /パターンに合[わいうえおっ]/g, use: "一致する" },
  { word: "飛ばす", pattern: /飛ば[さしすせそ]/g, use: "スキップする" },
];

/** Files that have to contain the words, are made by tools, or were written by others. */
const MAY_USE_ANY_WORD =
  /(?:^|\/)(?:package-lock\.json|LICENSE|docs\/glossary\.md|scripts\/check-words\.ts|check-words\.test\.ts)$/;

/** A pattern for any of these phrases as whole words, with any white space between their words. */
function phrase(...alternatives: readonly string[]): RegExp {
  const joined: string = alternatives.map((one) => one.replaceAll(" ", String.raw`\s+`)).join("|");
  return new RegExp(String.raw`(?<![\w-])(?:${joined})(?!\w)`, "gi");
}

export function checkFiles(files: readonly SourceFile[]): WordViolation[] {
  return files.flatMap((file) => (MAY_USE_ANY_WORD.test(file.path) ? [] : checkFile(file)));
}

function checkFile(file: SourceFile): WordViolation[] {
  const text: string | undefined = textForPeople(file)?.replace(/\n(?=[^\S\n]*\n)/g, `\n${MARK}`);
  if (text === undefined) return [];
  const rules: readonly Rule[] = file.path.endsWith(".ja.md") ? JAPANESE_RULES : RULES;
  return rules
    .flatMap(({ pattern, use }) =>
      [...text.matchAll(pattern)].map((match): WordViolation => {
        const found: string = shortened(match[0].replace(/\s+/g, " ").trim());
        const line: number = text.slice(0, match.index).split("\n").length;
        return { path: file.path, line, found, sentence: `"${found}": use ${use}` };
      }),
    )
    .sort((one, other) => one.line - other.line);
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** The file with marks in place of everything that is not for people; undefined for a file without text for people. */
export function textForPeople({ path: file, text }: SourceFile): string | undefined {
  if (file.endsWith(".md")) return documentText(text);
  if (/\.[1-9]$/.test(file)) return manualText(text);
  if (/\.[jt]s$/.test(file)) return programText(text);
  if (/\.(?:json|svg)$/.test(file)) return undefined;
  if (/^(?:etc|systemd|packaging)\/|^Makefile$/.test(file)) return configText(text);
  return undefined;
}

/** Markdown without code: without indented and fenced blocks, and without code in backticks. */
function documentText(text: string): string {
  let isFenced = false;
  let isCode = false;
  let wasEmpty = true;
  const lines: string[] = text.split("\n").map((line) => {
    const isFence: boolean = /^\s*(?:```|~~~)/.test(line);
    if (isFence) isFenced = !isFenced;
    isCode = /^(?: {4}|\t)/.test(line) ? isCode || wasEmpty : isCode && line.trim() === "";
    wasEmpty = line.trim() === "";
    // An item and a cell of a table each begin a sentence, and a heading is one.
    const content: string = line.replace(/^\s*(?:[-*]|\d+\.|#+)\s|\|/g, hidden);
    return isFence || isFenced || isCode ? hidden(line) : content;
  });
  return lines
    .join("\n")
    .replace(/`[^`\n]*(?:\n[^`\n]*)?`/g, hidden)
    .replace(/\]\([^)\n]*\)|<!--[^]*?-->/g, hidden)
    .replace(/[[\]*]/g, " ");
}

/** A manual page without macros, without literal words in bold, and without examples. */
function manualText(text: string): string {
  let isExample = false;
  const lines: string[] = text.split("\n").map((line) => {
    if (/^\.(?:nf|fi)\b/.test(line)) isExample = line.startsWith(".nf");
    if (isExample || line.startsWith(".")) return hidden(line);
    return line.replace(/\\f[A-Z][^\\]*\\fR/g, hidden).replace(/\\[-&e]|\\\(..|\\f[A-Z]/g, hidden);
  });
  return lines.join("\n");
}

/** A config file or a shell script: everything except for the marks of comments. */
function configText(text: string): string {
  return text.replace(/^[ \t]*#+!?/gm, spaces).replace(/`[^`\n]*`/g, hidden);
}

/** The comments of a program, and its strings of several words. */
function programText(text: string): string {
  const source: ts.SourceFile = ts.createSourceFile("x.ts", text, ts.ScriptTarget.Latest, true);
  const shown: (readonly [number, number, string])[] = [];
  const addComments = (ranges: readonly ts.CommentRange[] | undefined) => {
    for (const { pos, end } of ranges ?? []) shown.push([pos, end, commentText(text.slice(pos, end))]);
  };
  const visit = (node: ts.Node) => {
    if (ts.isImportDeclaration(node) || node.getChildCount(source) === 0) {
      addComments(ts.getLeadingCommentRanges(text, node.pos));
      addComments(ts.getTrailingCommentRanges(text, node.pos));
    }
    if (isSentence(node)) shown.push([node.getStart(source), node.end, stringText(node.getText(source))]);
    if (!ts.isImportDeclaration(node)) node.getChildren(source).filter(isNoComment).forEach(visit);
  };
  visit(source);
  return overlaid(hidden(text), shown);
}

function isNoComment(node: ts.Node): boolean {
  return node.kind < ts.SyntaxKind.FirstJSDocNode || node.kind > ts.SyntaxKind.LastJSDocNode;
}

/** Literals with a space between two letters; other literals are names, not sentences. */
function isSentence(node: ts.Node): boolean {
  const isText: boolean =
    ts.isStringLiteralLike(node) ||
    ts.isTemplateHead(node) ||
    ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node);
  return isText && /[\p{L},:;] +\p{L}|^[`}"'] *\p{L}+ | \p{L}+[`"]$/u.test(node.getText());
}

function commentText(comment: string): string {
  return comment
    .replace(/^\/\*+|\*+\/$/g, hidden)
    .replace(/^(\s*)(?:\*|\/\/+)/gm, spaces)
    .replace(/`[^`\n]*`/g, hidden)
    .replace(/@(?:param|throws|returns)(?: \w+)?/g, hidden);
}

function stringText(literal: string): string {
  return `${MARK}${literal.slice(1, -1).replace(/\\[^]/g, "  ")}${MARK}`;
}

/** Replaces parts of a text by pieces of the same length, each at its position. */
function overlaid(text: string, pieces: readonly (readonly [number, number, string])[]): string {
  const sorted = [...pieces].sort(([one], [other]) => one - other);
  let result = "";
  for (const [start, end, piece] of sorted) {
    if (start < result.length) continue;
    result += text.slice(result.length, start) + piece.slice(0, end - start);
  }
  return result + text.slice(result.length);
}

/** Replaces each character by a mark; ends of lines stay. */
function hidden(text: string): string {
  return text.replace(/[^\n]/g, MARK);
}

/** Replaces each character by a space; ends of lines stay. */
function spaces(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

function main(): void {
  // Paths as arguments select a part of the project: `node scripts/check-words.ts docs src/wire`.
  const chosen: string[] = process.argv.slice(2).map((one) => one.replace(/\/$/, ""));
  const isChosen = (file: string) =>
    chosen.length === 0 || chosen.some((one) => file === one || file.startsWith(`${one}/`));
  const files = readFiles(path.dirname(import.meta.dirname)).filter((file) => isChosen(file.path));
  const violations = checkFiles(files);
  for (const { path: file, line, sentence } of violations) console.error(`${file}:${line}: ${sentence}`);
  if (violations.length > 0) process.exitCode = 1;
}

if (import.meta.main) main();
