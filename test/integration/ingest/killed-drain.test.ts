/** SIGKILL while it drains: what was acked is there, what was on its way is found again by its id, and the next run lets no second copy in. */
import * as assert from 'uvu/assert';
import { timedSuite } from '../../harness/timeout.ts';
import { runCommand } from '../cli/run-command.ts';
import { readAll, targetNames, Targets } from './targets.ts';

const Killed = timedSuite('killed while it drains', { timeoutMs: 60_000 });
const targets = new Targets();
Killed.after(() => targets.end());
const COUNT = 40_000; // Half of it is more than pipes hold.
const lines = Array.from({ length: COUNT }, (_, n) => `{"id":"e-${n}","pad":"${'p'.repeat(n % 90)}"}\n`);

if (targetNames.includes('dedupe'))
  Killed('each event is stored once after the next run', async () => {
    const server = await targets.server();
    const args = ['ingest', '-', '--to', await targets.url('dedupe', 'killed-drain'), '--subject', 'killed-drain', '--id', '/id', '--json'];
    let [stopped, killed] = [false, false];
    const first = await runCommand(args, {
      cwd: targets.folder,
      input: lines.slice(0, COUNT / 2).join(''),
      keepOpen: true,
      // Wholly taken means that it is connected and reads.
      written: (child) => {
        void server.kill('SIGSTOP').then(() => {
          stopped = true;
          child.stdin?.write(lines.slice(COUNT / 2, COUNT - 1_000).join(''), () => child.kill('SIGINT'));
        });
      },
      onError: (stderr, child) => {
        if (killed || !stderr.includes('draining')) return;
        killed = true;
        child.kill('SIGKILL');
      },
    });
    await server.kill('SIGCONT');
    assert.ok(stopped && killed, first.stderr);
    assert.is(first.stdout, '', 'it did not come to its report');
    const second = await runCommand(args, { cwd: targets.folder, input: lines.join('') });
    assert.is(second.code, 0, second.stderr);
    const { accepted, acked, duplicates } = JSON.parse(second.stdout) as Record<string, number>;
    assert.equal([accepted, acked! + duplicates!], [COUNT, COUNT]);
    await using processor = await targets.open('dedupe', 'killed-drain');
    const seen = new Set<string>();
    let read = 0;
    await readAll(
      processor,
      COUNT,
      ({ event }) => {
        read += 1;
        seen.add((event as { id: string }).id);
      },
      { noAck: true },
    );
    const { sequence } = await processor.publish('killed-drain', { id: 'last' });
    assert.equal([read, seen.size], [COUNT, COUNT]);
    assert.ok(sequence > 0);
  });

Killed.run();
