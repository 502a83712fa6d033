import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Globals that pure layers must not use: they get time as an argument, and randomness and effects from outside. */
const IMPURE_GLOBALS = [
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "process",
  "Buffer",
  "globalThis",
].map((name) => ({
  name,
  message: "base, wire and engine are pure: time and effects come from outside.",
}));

/** Functions of node:test return promises that the test runner itself awaits. */
const NODE_TEST = {
  from: "package",
  package: "node:test",
  name: ["test", "it", "describe", "suite", "before", "after", "beforeEach", "afterEach"],
};

const everywhere = {
  files: ["**/*.ts"],
  extends: [tseslint.configs.recommendedTypeChecked],
  languageOptions: {
    parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
  },
  rules: {
    eqeqeq: "error",
    "no-console": "error",
    "@typescript-eslint/no-explicit-any": "error",
    "@typescript-eslint/no-shadow": "error",
    "@typescript-eslint/no-floating-promises": ["error", { allowForKnownSafeCalls: [NODE_TEST] }],
    "@typescript-eslint/consistent-type-imports": "error",
    "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
    // An interface may be asynchronous although one of its implementations is not.
    "@typescript-eslint/require-await": "off",
  },
};

const source = {
  files: ["src/**/*.ts"],
  rules: {
    "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
  },
};

const sourceAndTests = {
  files: ["src/**/*.ts", "test/**/*.ts"],
  rules: { "max-lines": ["error", { max: 400 }] },
};

const pure = {
  files: ["src/base/**/*.ts", "src/wire/**/*.ts", "src/engine/**/*.ts"],
  rules: {
    "no-restricted-globals": ["error", ...IMPURE_GLOBALS],
    "no-restricted-properties": [
      "error",
      { object: "Math", property: "random", message: "Take the seeded random object as an argument." },
    ],
  },
};

/** Directories closes the handles that it lends when it needs room: no generator may keep one over a yield. */
const HANDLE = "DirectoryHandle";

const handleOverYield = {
  meta: {
    messages: { kept: `A ${HANDLE} may be closed at a yield: ask for it again, by its path, each time.` },
  },
  create(context) {
    const { parserServices } = context.sourceCode;
    const generators = [];
    const isHandle = (node) => {
      const type = parserServices.getTypeAtLocation(node);
      return (type.types ?? [type]).some((one) => one.symbol?.name === HANDLE);
    };
    const check = (node) => {
      if (generators.at(-1) === true && isHandle(node)) context.report({ node, messageId: "kept" });
    };
    const enter = (node) => {
      generators.push(node.generator === true);
      node.params.forEach(check);
    };
    return {
      ":function": enter,
      ":function:exit": () => void generators.pop(),
      "VariableDeclarator > .id": check,
    };
  },
};

const handles = {
  files: ["src/tree/**/*.ts"],
  ignores: ["src/tree/disk/linux-disk.ts"],
  plugins: { tree: { rules: { "no-handle-over-yield": handleOverYield } } },
  rules: { "tree/no-handle-over-yield": "error" },
};

/** Only the disk of the tree asks the kernel for stats; other code in the tree only uses their types. */
const statsAsTypes = {
  files: ["src/tree/**/*.ts"],
  ignores: ["src/tree/disk/*.ts"],
  rules: {
    "@typescript-eslint/no-restricted-imports": [
      "error",
      {
        patterns: [
          { group: ["**/sys/stat.ts"], allowTypeImports: true, message: "Only tree/disk asks for stats." },
        ],
      },
    ],
  },
};

const mayPrint = {
  files: ["src/cli/output.ts", "src/cli/progress.ts", "scripts/**/*.ts", "test/**/*.ts"],
  rules: { "no-console": "off" },
};

/** koffi's functions have no types: src/sys gives them types. */
const foreignFunctions = {
  files: ["src/sys/**/*.ts"],
  rules: {
    "@typescript-eslint/no-unsafe-argument": "off",
    "@typescript-eslint/no-unsafe-assignment": "off",
    "@typescript-eslint/no-unsafe-call": "off",
    "@typescript-eslint/no-unsafe-member-access": "off",
    "@typescript-eslint/no-unsafe-return": "off",
  },
};

export default defineConfig(
  { ignores: ["dist/", "node_modules/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  everywhere,
  source,
  sourceAndTests,
  pure,
  handles,
  statsAsTypes,
  mayPrint,
  foreignFunctions,
);
