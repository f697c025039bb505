/** `bench quick | full | profile | report`: plays the scenarios and writes JSON, or makes PERF.md's tables and charts from it. */
import { parseArgs } from 'node:util';
import { runHere } from './harness/launch.ts';
import { printResult } from './harness/print.ts';
import { writeResult } from './harness/results.ts';
import { play } from './harness/rounds.ts';
import type { Placement, SetName } from './harness/types.ts';
import { scenarios } from './scenarios/all.ts';

const SPLIT_SCENARIOS = ['ingest'];
const SEED = 20_260_101;
const HELP = `bench quick | full | profile | report

  full ends with the split placement of ingest, and with profile.

  --only NAME,…            scenarios: ${scenarios.map(({ name }) => name).join(', ')}
  --rounds N               rounds instead of each scenario's own number
  --placement shared|split split: the system under test on core 0, the broker on core 1
  --contenders NAME,…      only these contenders of a scenario
`;

async function main(args: string[]): Promise<void> {
  if (args[0] === 'run') return runHere(args[1]!);
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      placement: { type: 'string', default: 'shared' },
      contenders: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const command = positionals[0] ?? '';
  if (values.help === true || !['quick', 'full', 'profile', 'report'].includes(command)) {
    console.log(HELP);
    process.exitCode = values.help === true ? 0 : 1;
    return;
  }
  if (command === 'report') return (await import('./report/report.ts')).writeReport();
  if (command === 'profile') return (await import('./profile/run.ts')).profileIngest(SEED);
  await playAll(command as SetName, {
    only: listOf(values.only),
    contenders: listOf(values.contenders),
    rounds: values.rounds === undefined ? null : Number(values.rounds),
    placement: values.placement as Placement,
  });
  if (command === 'full' && values.only === undefined) await finishFull(values.placement as Placement);
}

/** What only the whole full set does: our own efficiency with a core to ourselves, and the flame graphs. */
async function finishFull(placement: Placement): Promise<void> {
  if (placement === 'shared') await playAll('full', { only: SPLIT_SCENARIOS, contenders: null, rounds: null, placement: 'split' });
  await (await import('./profile/run.ts')).profileIngest(SEED);
}

function listOf(text: string | undefined): readonly string[] | null {
  return text === undefined ? null : text.split(',');
}

interface Choice {
  readonly only: readonly string[] | null;
  readonly contenders: readonly string[] | null;
  readonly rounds: number | null;
  readonly placement: Placement;
}

async function playAll(set: SetName, { only, contenders, rounds, placement }: Choice): Promise<void> {
  const unknown = (only ?? []).filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}; there are ${scenarios.map(({ name }) => name).join(', ')}`);
  const chosen = scenarios.filter(({ name, sets }) => (only === null ? sets.includes(set) : only.includes(name)));
  const started = performance.now();
  for (const scenario of chosen) {
    const wanted = (name: string): boolean => contenders === null || contenders.includes(name);
    const narrowed = { ...scenario, contenders: (of: SetName) => scenario.contenders(of).filter(({ name }) => wanted(name)) };
    console.log(`\n# ${scenario.name}`);
    const onRun = ({ name }: { readonly name: string }, text: string): void => console.log(`  ${name}: ${text}`);
    const result = await play(narrowed, { set, placement, rounds, seed: SEED, onRun });
    printResult(scenario, result);
    // A narrowed run is a look, not a result.
    if (contenders === null) console.log(`  → ${writeResult(result)}`);
    if (result.contenders.some(({ failed }) => failed !== undefined)) process.exitCode = 1;
  }
  console.log(`\n${((performance.now() - started) / 1_000).toFixed(0)} s`);
}

await main(process.argv.slice(2));
