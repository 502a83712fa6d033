import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { suite, test } from "node:test";

/** The links of the documents lead somewhere, in the project and where the packages put them. */

const ROOT = path.resolve(import.meta.dirname, "..", "..");
const PACKAGERS = ["deb", "rpm"] as const;

/** A file of a package that comes from the project as it is. */
interface Shipped {
  readonly source: string;
  readonly target: string;
}

/** The documents of the project that the packages install, by their paths in it. */
const DOCUMENTS: readonly string[] = [
  ...fs.readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...fs.readdirSync(path.join(ROOT, "docs")).map((name) => `docs/${name}`),
];

/** The contents that packaging/nfpm.yaml lists for a kind of package, directories file by file. */
function contentsOf(packager: (typeof PACKAGERS)[number]): Shipped[] {
  const config = fs.readFileSync(path.join(ROOT, "packaging", "nfpm.yaml"), "utf8");
  const [, contents = ""] = /^contents:\n([^]*?)^\w/m.exec(config) ?? [];
  return contents.split(/^ {2}- /m).flatMap((entry) => {
    const [source, target] = [valueOf(entry, "src"), valueOf(entry, "dst")];
    if (source === undefined || target === undefined) return [];
    if ((valueOf(entry, "packager") ?? packager) !== packager) return [];
    if (!source.endsWith("/")) return [{ source, target }];
    return fs.readdirSync(path.join(ROOT, source)).map((name) => {
      return { source: source + name, target: path.posix.join(target, name) };
    });
  });
}

function valueOf(entry: string, key: string): string | undefined {
  return new RegExp(String.raw`^\s*${key}: (\S+)$`, "m").exec(entry)?.[1];
}

interface Link {
  /** Relative to the project, or to the root of a package. */
  readonly target: string;
  readonly fragment: string | undefined;
}

/** The links of a document to files and sections, but not those to the web. */
function linksOf(source: string, location: string): Link[] {
  const text = fs.readFileSync(path.join(ROOT, source), "utf8").replace(/^ {4}.*$/gm, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file = "", fragment] = link.split("#");
      const target = file === "" ? location : path.posix.join(path.posix.dirname(location), file);
      return { target, fragment };
    });
}

/** The names of a document's sections, as links give them. */
function sectionsOf(source: string): string[] {
  const text = fs.readFileSync(path.join(ROOT, source), "utf8");
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

void suite("links of the documents", () => {
  test("lead to files and sections of the project", () => {
    let count = 0;
    for (const document of DOCUMENTS) {
      for (const { target, fragment } of linksOf(document, document)) {
        assert.ok(fs.existsSync(path.join(ROOT, target)), `${document}: ${target}`);
        if (fragment !== undefined)
          assert.ok(sectionsOf(target).includes(fragment), `${document}: #${fragment}`);
        count++;
      }
    }
    assert.ok(count > 30);
  });

  for (const packager of PACKAGERS) {
    test(`lead to files of the package for ${packager}`, () => {
      const contents = contentsOf(packager);
      const targets = new Set(contents.map(({ target }) => target));
      const documents = contents.filter(({ source }) => DOCUMENTS.includes(source));
      assert.ok(documents.length > 10);
      for (const { source, target: location } of documents) {
        for (const { target } of linksOf(source, location)) {
          assert.ok(targets.has(target), `${location}: ${target}`);
        }
      }
    });

    test(`the package for ${packager} has every document`, () => {
      const sources = contentsOf(packager).map(({ source }) => source);
      for (const document of DOCUMENTS) assert.ok(sources.includes(document), document);
    });
  }
});
