/** A scenario's result as text for a terminal; what proves nothing says so. */
import { baselineOf, compare, doubts, judgeGoals, summaryOf } from './judge.ts';
import type { Entry, ScenarioResult } from './rounds.ts';
import type { Metric, Scenario } from './types.ts';

const LABEL_CHARS = 46;

export function printResult(scenario: Scenario, result: ScenarioResult): void {
  console.log(`\n${scenario.title} (${result.set}, ${result.placement})`);
  for (const entry of result.contenders)
    console.log(`  ${entry.label.slice(0, LABEL_CHARS).padEnd(LABEL_CHARS)} ${lineOf(scenario, result, entry)}`);
  for (const { goal, value, verdict } of judgeGoals(scenario, result)) {
    console.log(
      `  goal: ${goal.text}: ${Number.isNaN(value) ? '–' : formatFigure(value)} (bar ${goal.bar}, goal ${goal.goal}): ${verdict}`,
    );
  }
  for (const doubt of doubts(result)) console.log(`  MEASURE AGAIN: ${doubt}`);
}

function lineOf(scenario: Scenario, result: ScenarioResult, entry: Entry): string {
  if (entry.absent !== undefined) return `absent: ${entry.absent}`;
  if (entry.failed !== undefined) return `FAILED: ${entry.failed}`;
  const cells = scenario.metrics.map((metric) => cellOf(entry, metric)).filter((cell) => cell !== '');
  return [...cells, ratioText(scenario, result, entry)].join(' · ');
}

function cellOf(entry: Entry, metric: Metric): string {
  const summary = summaryOf(entry, metric.key);
  if (summary === null) return '';
  return `${metric.label} ${formatFigure(summary.median, metric.digits)} ± ${formatFigure(summary.mad, metric.digits)} ${metric.unit}`.trimEnd();
}

/** How many times better the first of the group is than this entry. */
export function ratioText(scenario: Scenario, result: ScenarioResult, entry: Entry): string {
  const baseline = baselineOf(result, entry);
  if (entry.name === baseline) return '';
  const metric = scenario.metrics.find(({ key }) => key === scenario.primary)!;
  const ratio = compare(result, { ours: baseline, theirs: entry.name }, metric);
  if (ratio === null) return '';
  if (ratio.few) return `about ${formatFigure(ratio.value)}× (too few runs for an interval)`;
  const interval = `${formatFigure(ratio.low)}–${formatFigure(ratio.high)}`;
  return ratio.undecided ? `no difference shown (${interval})` : `${formatFigure(ratio.value)}× (${interval})`;
}

export function formatFigure(value: number, digits?: number): string {
  if (digits !== undefined) return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}
