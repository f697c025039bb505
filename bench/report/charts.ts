/** Charts as SVG by vega-lite, without a browser; the same file for the same results. */
import { parse, View } from 'vega';
import type { Spec } from 'vega';
import { compile } from 'vega-lite';
import type { TopLevelSpec } from 'vega-lite';
import { summaryOf } from '../harness/judge.ts';
import type { ScenarioResult } from '../harness/rounds.ts';
import type { Scenario } from '../harness/types.ts';

const WIDTH = 560;
const BAR_STEP = 24;
const CURVE_HEIGHT = 220;
const COLORS = ['#1f6feb', '#9aa4b2'];

/** Null when there is nothing to draw. */
export async function chartOf(scenario: Scenario, result: ScenarioResult): Promise<string | null> {
  const spec =
    scenario.name === 'memory'
      ? memorySpec(result)
      : scenario.curve === undefined
        ? barSpec(scenario, result)
        : curveSpec(scenario, result);
  if (spec === null) return null;
  const view = new View(parse(compile(spec, { logger: quiet }).spec as Spec), { renderer: 'none' });
  return view.toSVG();
}

/** Vega-lite warns of single points without a scale; the chart is fine. */
const quiet = { level: () => quiet, error: () => quiet, warn: () => quiet, info: () => quiet, debug: () => quiet } as unknown as Exclude<
  NonNullable<Parameters<typeof compile>[1]>['logger'],
  undefined
>;

const base = { $schema: 'https://vega.github.io/schema/vega-lite/v5.json', background: 'white', width: WIDTH } as const;

function barSpec(scenario: Scenario, result: ScenarioResult): TopLevelSpec | null {
  const metric = scenario.metrics.find(({ key }) => key === scenario.primary)!;
  const values = result.contenders.flatMap((entry) => {
    const summary = summaryOf(entry, metric.key);
    if (summary === null) return [];
    const ours = entry.label.includes('Millrace');
    return [
      {
        label: entry.label,
        value: summary.median,
        low: summary.median - summary.mad,
        high: summary.median + summary.mad,
        who: ours ? 'Millrace' : 'others',
      },
    ];
  });
  if (values.length < 2) return null;
  const greatest = Math.max(...values.map(({ value }) => value));
  const type = greatest / Math.min(...values.map(({ value }) => value)) > 200 ? 'log' : 'linear';
  const y = { field: 'label', type: 'nominal', sort: null, title: null, axis: { labelLimit: 320 } } as const;
  const title = `${metric.label}, ${metric.unit}${metric.better === 'lower' ? ' (less is better)' : ''}`;
  return {
    ...base,
    height: { step: BAR_STEP },
    data: { values },
    layer: [
      {
        mark: type === 'log' ? { type: 'point', filled: true, size: 90 } : 'bar',
        encoding: {
          y,
          x: { field: 'value', type: 'quantitative', scale: { type }, title },
          color: { field: 'who', type: 'nominal', legend: null, scale: { domain: ['Millrace', 'others'], range: COLORS } },
        },
      },
      { mark: { type: 'rule', strokeWidth: 2 }, encoding: { y, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } } },
    ],
  };
}

function curveSpec(scenario: Scenario, result: ScenarioResult): TopLevelSpec | null {
  const values = result.contenders.flatMap((entry) => {
    const rate = summaryOf(entry, 'rate');
    const cpu = summaryOf(entry, 'cpuPerMillion');
    return rate === null || cpu === null ? [] : [{ x: Number(entry.params['x']), rate: rate.median, cpu: cpu.median }];
  });
  if (values.length < 2) return null;
  const x = {
    field: 'x',
    type: 'quantitative',
    title: scenario.curve!.x,
    scale: { type: scenario.curve!.log === true ? 'log' : 'linear' },
  } as const;
  const panel = (field: string, title: string): object => ({
    width: WIDTH / 2,
    height: CURVE_HEIGHT,
    mark: { type: 'line', point: true, color: COLORS[0] },
    encoding: { x, y: { field, type: 'quantitative', title, scale: { zero: true } } },
  });
  const { width: _, ...rest } = base;
  return { ...rest, data: { values }, hconcat: [panel('rate', 'events/s'), panel('cpu', 'CPU s per million events')] } as TopLevelSpec;
}

/** A line for each contender that was watched. */
function memorySpec(result: ScenarioResult): TopLevelSpec | null {
  const values = result.contenders.flatMap(({ label, runs }) => {
    const last = runs.at(-1);
    const samples = (last?.notes?.['rssMiB'] as number[] | undefined) ?? [];
    const step = (last?.figures['elapsedMs'] ?? 0) / 1_000 / Math.max(1, samples.length);
    return samples.map((mebibytes, index) => ({ label, seconds: index * step, mebibytes }));
  });
  if (values.length < 2) return null;
  return {
    ...base,
    height: CURVE_HEIGHT,
    data: { values },
    mark: 'line',
    encoding: {
      x: { field: 'seconds', type: 'quantitative' },
      y: { field: 'mebibytes', type: 'quantitative', title: 'resident, MiB', scale: { zero: true } },
      color: { field: 'label', type: 'nominal', title: null, scale: { range: COLORS } },
    },
  };
}
