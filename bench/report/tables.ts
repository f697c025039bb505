/** Results as Markdown: one table per scenario, the goals beside their figures, and a mark on everything that proves nothing yet. */
import { doubts, goalValue, judgeGoals, summaryOf } from '../harness/judge.ts';
import type { GoalVerdict } from '../harness/judge.ts';
import { formatFigure, ratioText } from '../harness/print.ts';
import type { Entry, ScenarioResult } from '../harness/rounds.ts';
import type { Metric, Scenario } from '../harness/types.ts';

export interface Found {
  readonly scenario: Scenario;
  readonly result: ScenarioResult;
}

const VERDICTS: Readonly<Record<GoalVerdict['verdict'], string>> = {
  goal: 'reaches the goal',
  bar: 'holds the first bar',
  below: '**below the first bar**',
  'not measured': 'not measured',
};

export function scenarioText(scenario: Scenario, result: ScenarioResult): string {
  const parts = [scenario.about, tableOf(scenario, result), goalLines(scenario, result), stampLine(result), doubtLines(result)];
  return parts.filter((part) => part !== '').join('\n\n');
}

function tableOf(scenario: Scenario, result: ScenarioResult): string {
  const metrics = scenario.metrics.filter((metric) => result.contenders.some((entry) => summaryOf(entry, metric.key) !== null));
  const counted = scenario.curve === undefined;
  const first = scenario.curve?.x ?? 'contender';
  const heads = [
    first,
    ...metrics.map(({ label, unit }) => `${label}, ${unit}`),
    ...(counted ? ['first of its group is better by'] : []),
    'runs',
  ];
  const rows = result.contenders.map((entry) => {
    if (metrics.every((metric) => summaryOf(entry, metric.key) === null)) {
      return [
        entry.label,
        entry.absent === undefined ? `failed: ${entry.failed ?? 'no run'}` : `absent: ${entry.absent}`,
        ...heads.slice(2).map(() => ''),
      ];
    }
    const runs = String(entry.runs.filter(({ dropped }) => !dropped).length);
    return [
      entry.label,
      ...metrics.map((metric) => cell(entry, metric)),
      ...(counted ? [ratioText(scenario, result, entry) || '–'] : []),
      runs,
    ];
  });
  return markdown(heads, rows);
}

function cell(entry: Entry, metric: Metric): string {
  const summary = summaryOf(entry, metric.key);
  if (summary === null) return '';
  const spread = summary.runs < 2 ? '' : ` ± ${formatFigure(summary.mad, metric.digits)}`;
  return `${formatFigure(summary.median, metric.digits)}${spread}`;
}

function goalLines(scenario: Scenario, result: ScenarioResult): string {
  const goals = judgeGoals(scenario, result).map(
    (one) =>
      `- ${one.goal.text}: **${measured(one)}** (first bar ${figure(one.goal.bar)}, goal ${figure(one.goal.goal)}): ${VERDICTS[one.verdict]}`,
  );
  return [...goals, ...alsoOf(scenario, result).map(([text, value]) => `- ${text}: **${value}** (no bar)`)].join('\n');
}

/** Figures without a bar, as far as they were measured. */
function alsoOf(scenario: Scenario, result: ScenarioResult): (readonly [text: string, value: string])[] {
  return (scenario.also ?? []).flatMap((one): (readonly [string, string])[] => {
    const found = goalValue(
      result,
      one,
      scenario.metrics.find(({ key }) => key === one.metric)!,
    );
    return found === null ? [] : [[one.text, withInterval(found.value, found.interval)]];
  });
}

function measured({ value, interval }: GoalVerdict): string {
  return Number.isNaN(value) ? '–' : withInterval(value, interval);
}

function withInterval(value: number, interval: readonly [number, number] | null): string {
  return interval === null ? figure(value) : `${figure(value)} (${figure(interval[0])}–${figure(interval[1])})`;
}

/** All goals of all scenarios in one table; a ratio has its interval beside it. */
export function goalTable(results: readonly Found[]): string {
  const rows = results.flatMap(({ scenario, result }) => {
    const mark = doubts(result).length > 0 ? ' (to be measured again)' : '';
    const goals = judgeGoals(scenario, result).map((one) => [
      one.goal.text,
      measured(one),
      figure(one.goal.bar),
      figure(one.goal.goal),
      `${VERDICTS[one.verdict]}${mark}`,
    ]);
    return [...goals, ...alsoOf(scenario, result).map(([text, value]) => [text, value, '–', '–', `no bar was set${mark}`])];
  });
  return markdown(['figure', 'measured', 'first bar', 'goal', ''], rows);
}

/** The same figures on each machine that played the set; the first is the one of all other tables. */
export function machinesTable(machines: readonly (readonly Found[])[]): string {
  if (machines.length < 2) return 'Measured on one machine only.';
  const heads = machines.map((found) => {
    const { machine, set } = found[0]!.result;
    return `${machine.cpu}, ${machine.cores} cores, ${set} set, ${machine.at.slice(0, 10)}`;
  });
  const names = machines[0]!.flatMap(({ scenario, result }) =>
    judgeGoals(scenario, result).map((one) => ({ scenario, text: one.goal.text, bar: one.goal.bar })),
  );
  const rows = names.map(({ scenario, text, bar }) => {
    const cells = machines.map((found) => {
      const there = found.find((one) => one.scenario.name === scenario.name);
      if (there === undefined) return '–';
      const judged = judgeGoals(scenario, there.result).find((one) => one.goal.text === text)!;
      const again = doubts(there.result).length > 0 ? ' (measure again)' : '';
      return judged.verdict === 'below' ? `${measured(judged)}, below${again}` : `${measured(judged)}${again}`;
    });
    return [text, figure(bar), ...cells];
  });
  return markdown(['figure', 'first bar', ...heads], rows);
}

const figure = (value: number): string => (Number.isNaN(value) ? '–' : formatFigure(value));

function stampLine({ set, placement, machine, seed }: ScenarioResult): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const memory = `${machine.cores} cores, ${machine.memoryGiB} GiB`;
  return `<sub>${set} set, placement ${placement}, ${machine.at.slice(0, 10)}, commit ${machine.commit}${machine.dirty ? ' with changes' : ''}; ${machine.cpu}, ${memory}, Linux ${machine.kernel}; ${versions.join(', ')}; seed ${seed}.</sub>`;
}

function doubtLines(result: ScenarioResult): string {
  const found = doubts(result);
  return found.length === 0
    ? ''
    : `> **Measure again**: ${found.join('; ')}. These figures show that the bench runs, not how fast anything is.`;
}

function markdown(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(heads), line(heads.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
