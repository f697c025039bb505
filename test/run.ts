/** Runs every test file in a process of its own and ends with one line, `N passed, N failed`, that no failure can escape. */
import { existsSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { killRunning, runFile } from './meta/file-run.ts';
import { closingLine, totalsOf } from './meta/totals.ts';
import type { FileRun, FileTotals } from './meta/totals.ts';

const FILE_TIMEOUT_MS = Number(process.env['MILLRACE_TEST_TIMEOUT_MS'] ?? 120_000);
const SERVERS_TIMEOUT_MS = 600_000;
const LANES = Math.min(2, cpus().length);
// These load both cores or time a real server's silence: two at once would turn slowness into failures.
const ALONE = ['threads', 'integration', 'conformance', 'fault'];

const testFolder = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(testFolder, '../..');
const strict = process.env['CI'] === 'true';
const sum = { passed: 0, failed: 0, skipped: 0 };
const failures: { readonly run: FileRun; readonly totals: FileTotals }[] = [];

/** Compiled tests whose source is still there (dist keeps what was removed), by path; `wanted` are parts of paths. */
function testFiles(wanted: readonly string[]): string[] {
  const all = readdirSync(testFolder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.js'));
  const current = all.filter((name) => existsSync(path.join(root, 'test', `${name.slice(0, -'.js'.length)}.ts`)));
  return current.filter((name) => wanted.length === 0 || wanted.some((part) => `test/${name}`.includes(part))).toSorted();
}

/** Servers first, so that no test's deadline pays for a build. An absent one is its suites' matter: they skip or fail. */
async function getServers(): Promise<void> {
  const script = path.join(testFolder, 'harness/servers.js');
  const run = await runFile(script, { timeoutMs: SERVERS_TIMEOUT_MS });
  console.log(run.output.trimEnd());
  if (run.exitCode !== 0) fail(run, { passed: 0, failed: 1, skipped: 0, reason: 'the servers step failed' });
}

function fail(run: FileRun, totals: FileTotals): void {
  failures.push({ run, totals });
  sum.failed += totals.failed;
}

async function runLane(queue: string[]): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const run = await runFile(path.join(testFolder, name), { timeoutMs: FILE_TIMEOUT_MS });
    const totals = totalsOf(run, { strict });
    sum.passed += totals.passed;
    sum.skipped += totals.skipped;
    if (totals.reason !== '') fail(run, totals);
    const mark = totals.reason === '' ? 'ok  ' : 'FAIL';
    console.log(`${mark} ${name.slice(0, -'.test.js'.length)}  ${closingLine(totals)}  ${(run.elapsedMs / 1_000).toFixed(1)} s`);
    if (totals.skipped > 0) console.log(reasons(run.output));
  }
}

/** Lines by which a suite says why it skips. */
function reasons(output: string): string {
  const lines = output.split('\n').filter((line) => /skip/i.test(line) && !/^ *Skipped: /.test(line));
  return lines.map((line) => `       ${line.trim()}`).join('\n');
}

async function main(): Promise<void> {
  const files = testFiles(process.argv.slice(2));
  const isAlone = (name: string): boolean => ALONE.includes(name.split(path.sep)[0] ?? '');
  const needsServers = files.some(isAlone);
  if (needsServers) await getServers();
  const together = files.filter((name) => !isAlone(name));
  await Promise.all(Array.from({ length: LANES }, () => runLane(together)));
  await runLane(files.filter(isAlone));
  for (const { run, totals } of failures) console.log(`\n──── ${path.relative(root, run.file)}: ${totals.reason}\n${run.output.trimEnd()}`);
  if (files.length === 0) {
    console.log('no test file matches');
    sum.failed += 1;
  }
  console.log(`\n${closingLine(sum)}`);
  process.exitCode = sum.failed > 0 ? 1 : 0;
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => {
    killRunning();
    console.log(`\n${closingLine({ ...sum, failed: sum.failed + 1 })}`);
    process.exit(code);
  });
await main();
