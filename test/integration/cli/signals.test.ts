/** The first signal drains and keeps its own exit code; the second, and the drain deadline, end with 5 and say what was left. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import type { IngestReport } from '../../../src/api/report.ts';
import { generateChunks } from '../../../src/cli/generator.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { runCommand } from './run-command.ts';

const Signals = timedSuite('signals of the command line', { timeoutMs: 60_000 });
const folder = mkdtempSync(join(tmpdir(), 'millrace-signals-'));
Signals.after(() => rmSync(folder, { recursive: true }));
const hang = fileURLToPath(new URL('fixtures/hang.js', import.meta.url));

/** Sends each signal once: the first when stdout says it is ready, the next when stderr says it is draining. */
function sendInTurn(signals: readonly NodeJS.Signals[]): Pick<Parameters<typeof runCommand>[1], 'onOutput' | 'onError'> {
  const left = [...signals];
  return {
    onOutput: (_, child) => {
      if (left.length === signals.length) child.kill(left.shift());
    },
    onError: (stderr, child) => {
      if (stderr.includes('draining') && left.length > 0) child.kill(left.shift());
    },
  };
}

Signals('a second signal ends at once with 5 and the unsettled count', async () => {
  for (const second of ['SIGINT', 'SIGTERM'] as const) {
    const { code, stderr, stdout } = await runCommand(['60000'], { cwd: folder, main: hang, ...sendInTurn(['SIGINT', second]) });
    assert.is(code, 5);
    assert.is(stdout, 'ready\naborted\n');
    assert.ok(stderr.endsWith(`millrace: second ${second}: stopped with 1,234 events unsettled\n`), stderr);
  }
});

Signals('the drain deadline ends with 5', async () => {
  const { code, stderr } = await runCommand(['50'], { cwd: folder, main: hang, ...sendInTurn(['SIGTERM']) });
  assert.is(code, 5);
  assert.ok(stderr.includes('drain deadline passed: stopped with 1,234 events unsettled'), stderr);
});

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  Signals(`ingest drains on ${signal}, prints its report and ends with ${code}`, async () => {
    // stdin stays open: only the signal can end it. So much input does not fit into the pipe: once it is taken, the command reads.
    const input = [...generateChunks({ count: 20_000 })].join('');
    const result = await runCommand(['ingest', '-', '--to', `embedded:${signal}`, '--json'], {
      cwd: folder,
      input,
      keepOpen: true,
      written: (child) => child.kill(signal),
    });
    assert.is(result.code, code, result.stderr);
    const report = JSON.parse(result.stdout) as IngestReport;
    assert.ok(report.accepted > 0);
    assert.equal([report.acked, report.inFlight], [report.accepted, 0]);
  });

Signals('consume ends on SIGINT with 130, after the lines it printed', async () => {
  const { code, stdout } = await runCommand(['consume', '--from', 'embedded:SIGINT'], { cwd: folder, ...sendInTurn(['SIGINT']) });
  assert.is(code, 130);
  assert.ok(stdout.endsWith('}\n'));
});

Signals.run();
