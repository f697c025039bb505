/** The test runner itself: each way in which a file can fail without saying so is planted and must be counted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runFile } from './file-run.ts';
import { closingLine, totalsOf } from './totals.ts';

const report = (total: number, passed: number, skipped: number): string =>
  `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n\n`;

const cases = [
  { name: 'counts a good file', output: report(3, 3, 0), exitCode: 0, expected: '3 passed, 0 failed' },
  {
    name: 'counts a coloured report',
    output: report(3, 3, 0).replace('\n  Passed', '\u001b[32m\n  Passed'),
    exitCode: 0,
    expected: '3 passed, 0 failed',
  },
  { name: 'counts failures', output: report(3, 1, 0), exitCode: 1, expected: '1 passed, 2 failed' },
  { name: 'takes the last report', output: report(1, 0, 0) + report(2, 2, 0), exitCode: 0, expected: '2 passed, 0 failed' },
  { name: 'fails a good report with a bad exit code', output: report(3, 3, 0), exitCode: 1, expected: '3 passed, 1 failed' },
  { name: 'fails a bad report with a good exit code', output: report(3, 2, 0), exitCode: 0, expected: '2 passed, 1 failed' },
  { name: 'fails silence', output: '', exitCode: 0, expected: '0 passed, 1 failed' },
  { name: 'fails a run of nothing', output: report(0, 0, 0), exitCode: 0, expected: '0 passed, 1 failed' },
  { name: 'fails an end by signal', output: report(3, 3, 0), exitCode: null, signal: 'SIGSEGV', expected: '3 passed, 1 failed' },
  { name: 'fails at the deadline', output: report(3, 3, 0), exitCode: null, timedOut: true, expected: '3 passed, 1 failed' },
  { name: 'tells what was skipped', output: report(3, 3, 2), exitCode: 0, expected: '3 passed, 0 failed, 2 skipped' },
  { name: 'fails what was skipped in CI', output: report(3, 3, 2), exitCode: 0, strict: true, expected: '3 passed, 2 failed' },
];

const TotalsSuite = suite('totals of a test file');
for (const { name, output, exitCode, signal = null, timedOut = false, strict = false, expected } of cases)
  TotalsSuite(name, () => {
    const run = { file: 'x', output, exitCode, signal, timedOut, elapsedMs: 1 };
    assert.is(closingLine(totalsOf(run, { strict })), expected);
  });
TotalsSuite.run();

const RunFileSuite = suite('run of a test file');
const folder = mkdtempSync(path.join(tmpdir(), 'millrace-run-'));
RunFileSuite.after(() => rmSync(folder, { recursive: true, force: true }));

const script = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

RunFileSuite('collects both outputs and the exit code', async () => {
  const run = await runFile(script('both.mjs', 'console.log("out"); console.error("err"); process.exitCode = 7;'), { timeoutMs: 30_000 });
  assert.match(run.output, 'out');
  assert.match(run.output, 'err');
  assert.is(run.exitCode, 7);
});

RunFileSuite('kills a file that does not end, and what it started', async () => {
  const text = `import { spawn } from 'node:child_process';
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    console.log('child ' + child.pid); setInterval(() => {}, 1000);`;
  const run = await runFile(script('endless.mjs', text), { timeoutMs: 2_000 });
  assert.is(run.timedOut, true);
  const pid = Number(/child (\d+)/.exec(run.output)?.[1]);
  assert.ok(pid > 0, 'the child was started');
  // 'close' came, so the pipe that the grandchild held is shut: it has ended.
  assert.is(run.signal, 'SIGKILL');
});

RunFileSuite('does not wait for an orphan that holds the pipe', async () => {
  const text = `import { spawn } from 'node:child_process';
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).unref();`;
  const run = await runFile(script('orphan.mjs', text), { timeoutMs: 60_000 });
  assert.is(run.exitCode, 0);
  assert.is(run.timedOut, false);
});

RunFileSuite('reports a file that is not there', async () => {
  assert.is((await runFile(path.join(folder, 'absent.mjs'), { timeoutMs: 30_000 })).exitCode, 1);
});
RunFileSuite.run();
