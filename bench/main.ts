/** `bench quick | full | plan | profile | report`: plays the scenarios and writes JSON, or makes PERF.md's tables and charts from it. */
import { parseArgs } from 'node:util';
import { runHere } from './harness/launch.ts';
import { planOf, printPlan } from './harness/plan.ts';
import { playAll } from './harness/play-all.ts';
import type { Placement, Scenario, SetName } from './harness/types.ts';
import { scenarios } from './scenarios/all.ts';
import { ingestSplit } from './scenarios/ingest.ts';

const SEED = 20_260_101;
const PROFILE_SECONDS = 40;
const HELP = `bench quick | full | plan | profile | report

  full ends with the split placement of ingest, and with profile. plan says what full would play, and how long.

  --only NAME,…            scenarios: ${scenarios.map(({ name }) => name).join(', ')}, and profile
  --from NAME              this scenario and those after it: goes on with a run that was cut short
  --rounds N               rounds instead of each scenario's own number
  --placement shared|split split: the system under test on core 0, the broker on core 1
  --contenders NAME,…      only these contenders of a scenario; the result is not written
  --look                   write no result
  --machine NAME           write the results to bench/results/NAME: PERF.md has a column for each other machine
`;
const COMMANDS = ['quick', 'full', 'plan', 'profile', 'report'];

async function main(args: string[]): Promise<void> {
  if (args[0] === 'run') return runHere(args[1]!);
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      from: { type: 'string' },
      rounds: { type: 'string' },
      placement: { type: 'string', default: 'shared' },
      contenders: { type: 'string' },
      look: { type: 'boolean' },
      machine: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const command = positionals[0] ?? '';
  if (values.help === true || !COMMANDS.includes(command)) {
    console.log(HELP);
    process.exitCode = values.help === true ? 0 : 1;
    return;
  }
  if (command === 'report') return (await import('./report/report.ts')).writeReport();
  if (command === 'profile') return profile();
  const set: SetName = command === 'quick' ? 'quick' : 'full';
  const only = listOf(values.only);
  const chosen = choose(set, only, values.from ?? null);
  const whole = set === 'full' && only === null && values.placement === 'shared';
  const placed = chosen.map((scenario) => ({ scenario, placement: values.placement as Placement }));
  const parts = planOf([...placed, ...(whole ? [{ scenario: ingestSplit, placement: 'split' as const }] : [])], set);
  const profiled = whole || only?.includes('profile') === true;
  printPlan(parts, profiled ? [['profile', PROFILE_SECONDS]] : []);
  if (command === 'plan') return;
  const rounds = values.rounds === undefined ? null : Number(values.rounds);
  const choice = { contenders: listOf(values.contenders), look: values.look === true, machine: values.machine ?? '' };
  const failed = await playAll(parts, { set, seed: SEED, rounds, ...choice });
  if (profiled) await profile();
  if (failed.length > 0) process.exitCode = 1;
}

async function profile(): Promise<void> {
  console.log('\n# profile');
  await (await import('./profile/run.ts')).profileIngest(SEED);
}

function listOf(text: string | undefined): readonly string[] | null {
  return text === undefined ? null : text.split(',');
}

function choose(set: SetName, only: readonly string[] | null, from: string | null): readonly Scenario[] {
  const names = scenarios.map(({ name }) => name);
  const unknown = [...(only ?? []), ...(from === null ? [] : [from])].filter((name) => name !== 'profile' && !names.includes(name));
  if (unknown.length > 0) throw new Error(`no scenario ${unknown.join(', ')}; there are ${names.join(', ')}`);
  const first = from === null ? 0 : names.indexOf(from);
  return scenarios.slice(first).filter(({ name, sets }) => (only === null ? sets.includes(set) : only.includes(name)));
}

await main(process.argv.slice(2));
