/** What the profile of a thread showed: its flame graph and the functions that took most time themselves. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resultsFolder } from '../harness/places.ts';
import type { Stamp } from '../harness/machine.ts';
import type { ThreadProfile } from '../profile/run.ts';

interface ProfileFile {
  readonly machine: Stamp;
  readonly events: number;
  readonly threads: readonly ThreadProfile[];
}

export function profileText(thread: string): string {
  const path = join(resultsFolder, 'profile.json');
  if (!existsSync(path)) return 'Not profiled yet: `node dist/bench/main.js profile`.';
  const { machine, events, threads } = JSON.parse(readFileSync(path, 'utf8')) as ProfileFile;
  const one = threads.find((candidate) => candidate.thread === thread);
  if (one === undefined) return 'This thread was not profiled.';
  const rows = one.top.map(
    ({ name, place, share }) => `| \`${name}\` | ${place === '' ? '' : `\`${place}\``} | ${(share * 100).toFixed(1)} % |`,
  );
  const share = one.busyMs / (one.busyMs + one.idleMs);
  return [
    `${events.toLocaleString('en-US')} events, commit ${machine.commit}${machine.dirty ? ' with changes' : ''}, ${machine.at.slice(0, 10)}, load ${machine.load1m} before the run. Busy ${(share * 100).toFixed(0)} % of the time.`,
    `![Flame graph: ${thread}](bench/results/flames/${thread}.svg)`,
    ['| function | where | of its busy time |', '| --- | --- | ---: |', ...rows].join('\n'),
  ].join('\n\n');
}
