/** Sources are files that can be read, in the order given; everything else is one clear MILLRACE_SOURCE before any work. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { moduleOf } from '../../../src/cli/module-file.ts';
import { expandSources } from '../../../src/cli/sources.ts';

const Sources = suite('sources');
const folder = mkdtempSync(join(tmpdir(), 'millrace-sources-'));
const at = (...parts: string[]): string => join(folder, ...parts);

Sources.before(() => {
  mkdirSync(at('sub'));
  for (const name of ['b.ndjson', 'a.ndjson', 'x[1].ndjson', 'sub/c.ndjson']) writeFileSync(at(name), '');
  writeFileSync(at('locked.ndjson'), '');
  chmodSync(at('locked.ndjson'), 0);
});
Sources.after(() => rmSync(folder, { recursive: true }));

const good: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  [
    'files in the order given, twice when named twice',
    [at('b.ndjson'), at('a.ndjson'), at('b.ndjson')],
    [at('b.ndjson'), at('a.ndjson'), at('b.ndjson')],
  ],
  ['stdin as it is', ['-'], ['-']],
  ['a pattern by name', [at('[ab].ndjson')], [at('a.ndjson'), at('b.ndjson')]],
  ['a pattern into folders', [at('sub/**')], [at('sub/c.ndjson')]],
  ['a file whose name looks like a pattern', [at('x[1].ndjson')], [at('x[1].ndjson')]],
];
for (const [name, given, expected] of good) Sources(`takes ${name}`, async () => assert.equal(await expandSources(given), expected));

const bad: readonly (readonly [string, readonly string[], string])[] = [
  ['a missing file', [at('none')], 'no such file'],
  ['a folder', [at('sub')], 'is a folder'],
  ['a pattern that matches nothing', [at('*.csv')], 'no file matches'],
  ['a file as a folder', [at('a.ndjson/x')], 'no folder'],
];
for (const [name, given, part] of bad)
  Sources(`refuses ${name}`, async () => {
    const error: unknown = await expandSources(given).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    assert.instance(error, MillraceError);
    assert.is((error as MillraceError).code, 'MILLRACE_SOURCE');
    assert.ok((error as MillraceError).message.includes(part), (error as MillraceError).message);
  });

// The superuser reads everything.
if (process.getuid?.() !== 0)
  Sources('refuses a file without permission', async () => {
    const message = await expandSources([at('locked.ndjson')]).then(String, String);
    assert.ok(message.includes('permission denied'), message);
  });

Sources('refuses stdin twice', async () => assert.ok((await expandSources(['-', '-']).then(String, String)).includes('can be read once')));

Sources('names a module, and an export of it', () => {
  assert.is(moduleOf('transform', ''), undefined);
  assert.equal(Object.keys(moduleOf('transform', at('a.ndjson')) ?? {}), ['module']);
  assert.is(moduleOf('transform', `${at('a.ndjson')}#pick`)?.export, 'pick');
  assert.throws(() => moduleOf('transform', at('none.js')), /--transform.*is no file/);
});

Sources.run();
