import fs from "node:fs";
import ts from "typescript";

/** Finds the sentences that a source file is able to say. */

/** Three words of plain text in a row: names, formats and phrases of two words are no sentences. */
const SENTENCE = /[a-z]+,? [a-z]+,? [a-z]+/;

/**
 * The literals of a file that read like sentences. Parts that are joined by + are one, and each expression in it is a place:
 * `{0}`, `{1}`.
 *
 * @param inside a class: only literals in the arguments of its constructor, such as UserError
 */
export function sentencesOf(file: string, inside?: string): string[] {
  const source = ts.createSourceFile(file, fs.readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const sentences: string[] = [];
  const visit = (node: ts.Node, isWanted: boolean): void => {
    const wanted =
      isWanted || (ts.isNewExpression(node) && node.expression.getText(source).endsWith(inside ?? ""));
    const text = textOf(node);
    if (text === undefined) {
      ts.forEachChild(node, (child) => visit(child, wanted));
      return;
    }
    if (wanted && SENTENCE.test(text)) sentences.push(numbered(text));
    for (const expression of expressionsOf(node)) visit(expression, wanted);
  };
  visit(source, inside === undefined);
  return sentences;
}

const PLACE = "\u0000";

function numbered(text: string): string {
  let place = 0;
  return text.replaceAll(PLACE, () => `{${place++}}`);
}

/** The text of a literal, or of several that are joined; undefined for another expression. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => PLACE + literal.text).join("");
  if (!isJoin(node)) return undefined;
  const [left, right] = [textOf(node.left), textOf(node.right)];
  return left === undefined && right === undefined ? undefined : (left ?? PLACE) + (right ?? PLACE);
}

/** The expressions in the places of a text. */
function expressionsOf(node: ts.Node): ts.Node[] {
  if (ts.isTemplateExpression(node)) return node.templateSpans.map(({ expression }) => expression);
  if (!isJoin(node)) return [];
  return [node.left, node.right].flatMap((side) =>
    textOf(side) === undefined ? [side] : expressionsOf(side),
  );
}

function isJoin(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
}
