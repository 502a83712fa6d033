import ts from "typescript";

/** Small faults that could stand in a source file, each as a change of one piece of its text. */

export interface Mutation {
  /** Relative to the project's root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly kind: string;
  /** The line that it begins in, without its indentation; a bare jump with the line before, which tells it from others. */
  readonly code: string;
  /** What becomes what, on one line. */
  readonly change: string;
}

/** A place that can be changed. `replacements` are as many as `mutations`. */
export interface Site {
  readonly node: ts.Node;
  /** How the text is switched: an expression by another one, a statement or the inside of a block by nothing. */
  readonly form: "expression" | "statement" | "block";
  readonly mutations: Mutation[];
  readonly replacements: string[];
}

const COMPARISONS: Readonly<Record<string, readonly (readonly [kind: string, operator: string])[]>> = {
  "<": [
    ["boundary", "<="],
    ["flip", ">="],
  ],
  "<=": [
    ["boundary", "<"],
    ["flip", ">"],
  ],
  ">": [
    ["boundary", ">="],
    ["flip", "<="],
  ],
  ">=": [
    ["boundary", ">"],
    ["flip", "<"],
  ],
  "===": [["flip", "!=="]],
  "!==": [["flip", "==="]],
};

const OPERATORS: Readonly<Record<string, readonly [kind: string, operator: string]>> = {
  "&&": ["logical", "||"],
  "||": ["logical", "&&"],
  "+": ["arithmetic", "-"],
  "-": ["arithmetic", "+"],
  "*": ["arithmetic", "/"],
  "/": ["arithmetic", "*"],
  "%": ["arithmetic", "*"],
  "&": ["arithmetic", "|"],
  "|": ["arithmetic", "&"],
  "^": ["arithmetic", "&"],
  "<<": ["arithmetic", ">>"],
  ">>": ["arithmetic", "<<"],
  ">>>": ["arithmetic", "<<"],
  "+=": ["arithmetic", "-="],
  "-=": ["arithmetic", "+="],
  "*=": ["arithmetic", "/="],
  "/=": ["arithmetic", "*="],
  "&=": ["arithmetic", "|="],
  "|=": ["arithmetic", "&="],
  "^=": ["arithmetic", "&="],
  "<<=": ["arithmetic", ">>="],
  ">>=": ["arithmetic", "<<="],
  ">>>=": ["arithmetic", "<<="],
  "??=": ["nullish", "="],
};

/** Finds every place of a file that can be changed, outer ones before what lies in them. */
export class MutationFinder {
  readonly source: ts.SourceFile;
  readonly sites = new Map<ts.Node, Site[]>();

  constructor(file: string, text: string) {
    this.source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2024, true);
    this.visit(this.source);
  }

  private visit(node: ts.Node): void {
    if (isPassedOver(node)) return;
    if (ts.isThrowStatement(node)) {
      // What it says is for people.
      this.addRemoval(node);
      return;
    }
    if (ts.isBinaryExpression(node)) this.visitBinary(node);
    else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) this.visitUnary(node);
    else if (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node)) this.visitNumber(node);
    else if (node.kind === ts.SyntaxKind.TrueKeyword) this.addExpression(node, node, "boolean", "false");
    else if (node.kind === ts.SyntaxKind.FalseKeyword) this.addExpression(node, node, "boolean", "true");
    else if (ts.isReturnStatement(node)) this.visitReturn(node);
    else if (isRemovable(node)) this.addRemoval(node);
    else if (ts.isBlock(node) && isEmptiable(node)) this.addBlock(node);
    const condition = conditionOf(node);
    if (condition !== undefined && !hasFlip(condition))
      this.addExpression(condition, condition, "condition", `!(${this.textOf(condition)})`);
    if (ts.isCallExpression(node) && node.expression.getText(this.source) === "assert") {
      // The second argument is a sentence.
      this.visit(node.arguments[0] as ts.Node);
      return;
    }
    ts.forEachChild(node, (child) => this.visit(child));
  }

  private visitBinary(node: ts.BinaryExpression): void {
    const operator = node.operatorToken.getText(this.source);
    const [left, right] = [this.textOf(node.left), this.textOf(node.right)];
    for (const [kind, other] of COMPARISONS[operator] ?? [])
      this.addExpression(
        node,
        node.operatorToken,
        kind,
        `(${left}) ${other} (${right})`,
        `${left} ${other} ${right}`,
      );
    if (operator === "??") this.addExpression(node, node.operatorToken, "nullish", left);
    const swapped = OPERATORS[operator];
    if (swapped === undefined || (operator === "+" && isText(node))) return;
    const [kind, other] = swapped;
    const replacement = operator.endsWith("=")
      ? `${left} ${other} (${right})`
      : `(${left}) ${other} (${right})`;
    this.addExpression(node, node.operatorToken, kind, replacement, `${left} ${other} ${right}`);
  }

  private visitUnary(node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression): void {
    const operand = this.textOf(node.operand);
    const { PlusPlusToken: plus, MinusMinusToken: minus } = ts.SyntaxKind;
    if (node.operator === plus || node.operator === minus) {
      const other = node.operator === plus ? "--" : "++";
      const replacement = ts.isPrefixUnaryExpression(node) ? `${other}${operand}` : `${operand}${other}`;
      this.addExpression(node, node, "update", replacement);
    } else this.addExpression(node, node, "unary", operand);
  }

  private visitNumber(node: ts.NumericLiteral | ts.BigIntLiteral): void {
    const text = this.textOf(node);
    const one = ts.isBigIntLiteral(node) ? "1n" : "1";
    this.addExpression(node, node, "plus", `${text} + ${one}`);
    this.addExpression(node, node, "minus", `${text} - ${one}`);
  }

  /** Another value of the type that the function says it returns. */
  private visitReturn(node: ts.ReturnStatement): void {
    const { expression } = node;
    if (expression === undefined) {
      if (isRemovable(node)) this.addRemoval(node);
      return;
    }
    const type = returnTypeOf(node, this.source);
    const text = this.textOf(expression);
    const other = otherValue(type, text, hasFlip(expression));
    if (other !== undefined) this.addExpression(expression, node, "return", other);
  }

  private addRemoval(node: ts.Node): void {
    this.add(node, node, "statement", "statement", "");
  }

  private addBlock(node: ts.Block): void {
    this.add(node, node, "block", "block", "{}");
  }

  /** @param shown how the replacement is told of, where not as it is */
  private addExpression(node: ts.Node, at: ts.Node, kind: string, replacement: string, shown?: string): void {
    this.add(node, at, "expression", kind, replacement, shown);
  }

  private add(
    node: ts.Node,
    at: ts.Node,
    form: Site["form"],
    kind: string,
    replacement: string,
    shown = replacement,
  ): void {
    const known = this.sites.get(node) ?? [];
    this.sites.set(node, known);
    let site = known.find((one) => one.form === form);
    if (site === undefined) known.push((site = { node, form, mutations: [], replacements: [] }));
    const { line, character } = this.source.getLineAndCharacterOfPosition(at.getStart(this.source));
    const code = codeAt(this.source.text, line);
    const before = form === "block" ? "{ ... }" : oneLine(this.textOf(node));
    const after = form === "statement" ? "(removed)" : oneLine(shown);
    const { fileName: file } = this.source;
    const change = `${before}  ->  ${after}`;
    site.mutations.push({ file, line: line + 1, column: character + 1, kind, code, change });
    site.replacements.push(replacement);
  }

  private textOf(node: ts.Node): string {
    return node.getText(this.source);
  }
}

function codeAt(text: string, line: number): string {
  const [before = "", code = ""] = ["", ...text.split("\n")].slice(line, line + 2).map((one) => one.trim());
  return /^(break|continue|return);$/.test(code) ? `${before} ${code}` : code;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}

/** Types, imports, and sentences for people. */
function isPassedOver(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isTemplateExpression(node) || isNameOfProperty(node)) return true;
  return ts.isNewExpression(node) && /Error$/.test(node.expression.getText());
}

function isNameOfProperty(node: ts.Node): boolean {
  const { parent } = node;
  return ts.isNumericLiteral(node) && ts.isPropertyAssignment(parent) && parent.name === node;
}

/** Statements without which the rest can still run. */
function isRemovable(node: ts.Node): boolean {
  if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) return true;
  if (ts.isReturnStatement(node)) return node.expression === undefined;
  if (!ts.isExpressionStatement(node)) return false;
  return !(
    ts.isCallExpression(node.expression) && node.expression.expression.kind === ts.SyntaxKind.SuperKeyword
  );
}

/** Bodies with something in them; what is but one statement is removed as such. */
function isEmptiable(node: ts.Block): boolean {
  const { parent } = node;
  if (ts.isConstructorDeclaration(parent) || ts.isTryStatement(parent) || ts.isCatchClause(parent))
    return false;
  const [first] = node.statements;
  return (
    node.statements.length > 1 || (first !== undefined && !isRemovable(first) && !ts.isThrowStatement(first))
  );
}

function conditionOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return node.expression;
  if (ts.isForStatement(node) || ts.isConditionalExpression(node)) return node.condition;
  return undefined;
}

/** Whether another change already makes the opposite of a condition. */
function hasFlip(node: ts.Node): boolean {
  if (ts.isParenthesizedExpression(node)) return hasFlip(node.expression);
  if (ts.isBinaryExpression(node)) return Object.hasOwn(COMPARISONS, node.operatorToken.getText());
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.ExclamationToken;
  return node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword;
}

/** Whether a sum joins texts. */
function isText(node: ts.Expression): boolean {
  if (ts.isBinaryExpression(node)) return isText(node.left) || isText(node.right);
  return (
    ts.isStringLiteral(node) || ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node)
  );
}

function returnTypeOf(node: ts.ReturnStatement, source: ts.SourceFile): string {
  let parent: ts.Node = node.parent;
  while (!ts.isFunctionLike(parent)) parent = parent.parent;
  return parent.type?.getText(source) ?? "";
}

function otherValue(type: string, text: string, isFlipped: boolean): string | undefined {
  if (type === "boolean") return isFlipped ? undefined : `!(${text})`;
  if (type === "number") return /^-?\d/.test(text) ? undefined : `(${text}) + 1`;
  if (type === "string") return text === '""' ? undefined : '""';
  if (/\| undefined$/.test(type)) return text === "undefined" ? undefined : "undefined";
  if (/\[\]$/.test(type)) return text === "[]" ? undefined : "[]";
  return undefined;
}
