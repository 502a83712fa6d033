import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { drawChart, yTicks } from "./chart.ts";
import { lossChart, receiversChart } from "./charts.ts";
import { MARKS, timesSection } from "./readme.ts";
import { withSection } from "./report.ts";
import { REQUIREMENTS } from "./requirements.ts";
import { addScenario, emptyResults, type Results, timeOf } from "./results.ts";
import { type Scenario, scenarios, title } from "./scenario.ts";
import { tellingNames } from "./peers/contenders.ts";
import { median } from "./statistics.ts";
import { align, scaleTable } from "./tables.ts";
import { wireMs } from "./wire-time.ts";

/** The arithmetic of the benchmark; what it measures is not tested. */

const BIG: Scenario = { content: "big", receivers: 4, speedMbps: 1000, units: "trains", lossPercent: 0 };

function withTimes(times: readonly (readonly [Partial<Scenario>, Record<string, number>])[]): Results {
  const results: Results = emptyResults();
  for (const [changes, ms] of times) {
    const figures = Object.entries(ms).map(([contender, one]) => {
      return { contender, best: contender, costs: [{ ms: one, busy: 1, busyBefore: 0 }] };
    });
    addScenario(results, {
      scenario: { ...BIG, ...changes },
      origin: { commit: "c", date: "2026-01-01" },
      figures,
    });
  }
  return results;
}

void suite("benchmark", () => {
  test("the wire takes 2.2 s for 256 MiB at 1 Gbit/s", () => {
    assert.ok(Math.abs(wireMs(256 * 1024 * 1024, 1000) - 2208.8) < 0.1);
  });

  test("medians", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });

  test("loss is measured with the big file and the fewest receivers only", () => {
    const all: string[] = scenarios({
      contents: ["big", "tree"],
      receivers: [16, 4],
      speedsMbps: [1000],
      lossPercents: [0, 5],
      units: ["datagrams"],
      smallUnlimitedOnly: false,
      tellingOnly: false,
    }).map(title);
    assert.deepEqual(all, [
      "big, 16 receivers, 1 Gbit/s",
      "big, 4 receivers, 1 Gbit/s, single datagrams",
      "big, 4 receivers, 1 Gbit/s, single datagrams, 5 % lost",
      "tree, 16 receivers, 1 Gbit/s",
      "tree, 4 receivers, 1 Gbit/s",
    ]);
  });

  test("the whole table has the slow link for what is not sent, and many receivers for whole trees", () => {
    const all: Scenario[] = scenarios({
      contents: ["big", "text", "tree", "edited"],
      receivers: [4, 16],
      speedsMbps: [1000, 100],
      lossPercents: [0],
      units: ["trains"],
      smallUnlimitedOnly: false,
      tellingOnly: true,
    });
    assert.deepEqual(all.map(title), [
      "big, 4 receivers, 1 Gbit/s",
      "big, 16 receivers, 1 Gbit/s",
      "text, 4 receivers, 1 Gbit/s",
      "tree, 4 receivers, 1 Gbit/s",
      "tree, 16 receivers, 1 Gbit/s",
      "edited, 4 receivers, 1 Gbit/s",
      "text, 4 receivers, 100 Mbit/s",
    ]);
    const [big, , text, , , edited] = all as [Scenario, Scenario, Scenario, Scenario, Scenario, Scenario];
    assert.ok(tellingNames(big).includes("uncompressed") && !tellingNames(big).includes("whole-file"));
    assert.ok(tellingNames(text).includes("zstd-udpcast") && tellingNames(text).includes("rsync-z"));
    assert.ok(tellingNames(edited).includes("rsync-inplace") && !tellingNames(edited).includes("uftp"));
  });

  test("simulated fleets are judged by bytes and by time", () => {
    const results: Results = emptyResults();
    results.scale = {
      origin: { commit: "c", date: "2026-01-01" },
      results: [{ members: 1000, loss: 0.01, bytesShare: 1.1, timeShare: 1.06 }],
    };
    const judged: string[] = REQUIREMENTS.flatMap(({ text, most, measure }) => {
      const measured: number | undefined = measure(results);
      return measured === undefined ? [] : [`${text}: ${measured <= most ? "yes" : "no"}`];
    });
    assert.deepEqual(judged, [
      "simulated, 1000 members lose 1 % each: bytes on the wire / without loss: yes",
      "simulated, 1000 members lose 1 % each: time / the wire's for these bytes: no",
    ]);
    assert.match(scaleTable(results), /1000 members, 1 % lost +1\.100 +1\.060/);
  });

  test("a new result takes the place of the old one", () => {
    const results: Results = withTimes([
      [{}, { uftp: 5, udpcast: 6 }],
      [{}, { uftp: 7 }],
    ]);
    assert.equal(results.scenarios.length, 1);
    assert.equal(timeOf(results, BIG, "uftp"), 7);
    assert.equal(timeOf(results, BIG, "udpcast"), 6);
    assert.equal(timeOf(results, { ...BIG, receivers: 16 }, "uftp"), undefined);
    const [first] = results.scenarios;
    assert.ok(first !== undefined);
    addScenario(results, {
      ...first,
      origin: { commit: "d", date: "2026-01-02" },
      figures: first.figures.slice(1),
    });
    assert.equal(timeOf(results, BIG, "udpcast"), undefined, "a figure of another commit is not kept");
  });

  test("what must hold is judged by the figures, and by nothing where they lack", () => {
    const results: Results = withTimes([
      [{}, { "makuosan, sealed": 2300 }],
      [{ receivers: 16 }, { "makuosan, sealed": 4600, "rsync in parallel": 46_000 }],
    ]);
    const judged: string[] = REQUIREMENTS.flatMap(({ text, most, measure }) => {
      const measured: number | undefined = measure(results);
      return measured === undefined
        ? []
        : [`${text}: ${measured.toFixed(2)} ${measured <= most ? "yes" : "no"}`];
    });
    assert.deepEqual(judged, [
      "big, 4 receivers, 1 Gbit/s: makuosan, sealed / the wire: 1.04 yes",
      "big, 1 Gbit/s: 16 receivers / 4 receivers: 2.00 no",
      "big, 16 receivers, 1 Gbit/s: / rsync: 0.10 yes",
    ]);
  });

  test("an edited file is judged beside the whole one, by time and by bytes", () => {
    const results: Results = withTimes([
      [
        { content: "edited" },
        {
          "makuosan, sealed": 2000,
          "makuosan --whole-file": 10_000,
          "rsync with deltas in parallel": 8000,
          "the files alone": 1500,
        },
      ],
      [{ content: "unlike" }, { "makuosan, sealed": 1040, "makuosan --whole-file": 1000 }],
    ]);
    const [first] = results.scenarios;
    assert.ok(first !== undefined);
    const [own, ...others] = first.figures;
    assert.ok(own !== undefined);
    const costs = own.costs.map((cost) => ({ ...cost, sentBytes: 0.02 * 1024 ** 3 }));
    addScenario(results, { ...first, figures: [{ ...own, costs }, ...others] });
    const judged: string[] = REQUIREMENTS.flatMap(({ text, measure, floor }) => {
      const measured: number | undefined = measure(results);
      if (measured === undefined) return [];
      return [`${text.split(": ")[1] ?? ""}: ${measured.toFixed(2)}, ${floor?.(results)?.toFixed(2) ?? ""}`];
    });
    assert.deepEqual(judged, [
      "/ with --whole-file: 0.20, 0.15",
      "bytes on the sender's link / bytes of the file: 0.02, ",
      "/ rsync with deltas: 0.25, ",
      "/ with --whole-file: 1.04, ",
    ]);
  });

  test("a first push is judged beside a later one, and compression beside none", () => {
    const unlimited: Partial<Scenario> = { speedMbps: undefined };
    const results: Results = withTimes([
      [
        unlimited,
        { "makuosan, sealed": 2000, "makuosan, just started": 3000, "makuosan --compress no": 2000 },
      ],
      [{ content: "text", speedMbps: 100 }, { "makuosan, sealed": 4417.6 }],
    ]);
    results.many = {
      origin: { commit: "c", date: "2026-01-01" },
      result: { entries: 1_000_000, ownMs: [3, 6, 9], rsyncMs: [1, 4, 9] },
    };
    const judged: string[] = REQUIREMENTS.flatMap(({ text, measure }) => {
      const measured: number | undefined = measure(results);
      return measured === undefined ? [] : [`${text}: ${measured.toFixed(2)}`];
    });
    assert.deepEqual(judged, [
      "text, 4 receivers, 100 Mbit/s: / the wire: 0.20",
      "random bytes, 4 receivers, unlimited: / without compression: 1.00",
      "big, 4 receivers, unlimited: the first push after a start / a later one: 1.50",
      "1,000,000 files with nothing new, 1 receiver: / rsync -an on one host: 1.50",
    ]);
    results.many = { ...results.many, result: { ...results.many.result, entries: 50_000 } };
    assert.ok(
      REQUIREMENTS.filter(({ text }) => text.startsWith("1,000,000")).every(
        ({ measure }) => measure(results) === undefined,
      ),
      "fewer files say nothing about a million",
    );
  });

  test("a chart has a line for each program, and everything inside its frame", () => {
    const results: Results = withTimes([
      [{}, { "makuosan, sealed": 2300, "rsync in parallel": 9000 }],
      [{ receivers: 16 }, { "makuosan, sealed": 2500, "rsync in parallel": 36_000 }],
    ]);
    assert.equal(lossChart(results), undefined);
    const chart = receiversChart(results);
    assert.ok(chart !== undefined);
    const drawn: string = drawChart(chart);
    assert.equal(drawn.match(/<polyline /g)?.length, 3);
    const [width, height]: number[] = [720, 400];
    for (const [, x, y] of drawn.matchAll(/(?:c?x|x1)="([\d.-]+)" (?:c?y)="([\d.-]+)"/g)) {
      assert.ok(Number(x) >= 0 && Number(x) <= (width ?? 0), `x ${x}`);
      assert.ok(Number(y) >= 0 && Number(y) <= (height ?? 0), `y ${y}`);
    }
    for (const name of ["makuosan", "rsync in parallel", "the wire itself"])
      assert.ok(drawn.includes(`>${name}<`));
  });

  test("the axis ends above the largest value, in round steps", () => {
    assert.deepEqual(yTicks(36), [0, 10, 20, 30, 40]);
    assert.deepEqual(yTicks(0.9), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  test("columns stand under each other", () => {
    assert.equal(
      align([
        ["a", "1", "x"],
        ["bcd", "23", ""],
      ]),
      "  a     1  x\n  bcd  23",
    );
  });

  test("the section of a document is replaced and nothing else", () => {
    const results: Results = withTimes([[{}, { "makuosan, sealed": 2300 }]]);
    const section: string = timesSection(results, "english", "full");
    const text: string = `before ${MARKS.begin}\nold\n${MARKS.end} after`;
    const written: string = withSection(text, section);
    assert.equal(written, `before ${MARKS.begin}\n${section}\n${MARKS.end} after`);
    assert.match(section, /\| makuosan, sealed \| – \| 2\.30 \|/);
    assert.throws(() => withSection("nothing", section));
  });

  test("the READMEs have fewer columns and programs than the full table", () => {
    const results: Results = withTimes([[{}, { "makuosan, sealed": 2300, "the files alone": 300 }]]);
    const rows = (length: "short" | "full") =>
      timesSection(results, "english", length).split("\n\n")[0]!.split("\n");
    assert.equal(rows("short")[2], "| makuosan, sealed | 2.30 | – | – | – |");
    assert.deepEqual(
      rows("full")
        .slice(2)
        .map((row) => row.split(" | ")[0]),
      ["| makuosan, sealed", "| the files alone", "| the wire itself"],
    );
    assert.ok(!rows("short").some((row) => row.includes("alone")));
    assert.match(timesSection(results, "japanese", "short"), /\| makuosan（鍵あり） \| 2\.30 \|/);
  });
});
