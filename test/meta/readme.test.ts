/** README's quick start runs as it stands and prints what README says; its two command lines are the ones that are promised. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { timedSuite } from '../harness/timeout.ts';
import { root } from './tree.ts';

const LINES_MAX = 25;
const RUN_MS = 30_000;

/** The text of the first fence of `language`, or null. */
function firstFence(page: string, language: string): string | null {
  return new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1] ?? null;
}

const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const folder = mkdtempSync(path.join(tmpdir(), 'millrace-readme-'));
const ReadmeSuite = timedSuite('README', { timeoutMs: RUN_MS + 5_000 });
ReadmeSuite.after(() => rmSync(folder, { recursive: true, force: true }));

ReadmeSuite('finds a fence by its language', () => {
  const page = 'a\n```sh\nno\n```\n```js\nx\ny\n```\n```js\nz\n```\n';
  assert.is(firstFence(page, 'js'), 'x\ny\n');
  assert.is(firstFence(page, 'text'), null);
});

ReadmeSuite('names the two command lines', () => {
  for (const line of ['npm install && npm start', 'npm install && npm test']) assert.ok(readme.includes(`\`\`\`sh\n${line}\n\`\`\``), line);
});

ReadmeSuite('has a quick start that runs as it stands and prints what it says', async () => {
  const code = firstFence(readme, 'js') ?? '';
  const printed = firstFence(readme, 'text') ?? '';
  assert.match(code, "from 'millrace'");
  assert.ok(code.trimEnd().split('\n').length <= LINES_MAX, `at most ${LINES_MAX} lines`);
  // As a user has it: a package of type module with millrace among its dependencies.
  mkdirSync(path.join(folder, 'node_modules'));
  symlinkSync(root, path.join(folder, 'node_modules/millrace'), 'dir');
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(folder, 'quick-start.js'), code);
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['quick-start.js'], { cwd: folder, timeout: RUN_MS });
  assert.is(stderr, '');
  assert.is(stdout, printed);
});

ReadmeSuite('links only to files that are there', () => {
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map((match) => match[1]!);
  for (const link of links) assert.ok(existsSync(path.join(root, link)), link);
});
ReadmeSuite.run();
