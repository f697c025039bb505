/** Every example runs as it stands, against the built package, and prints what it is said to print. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { root } from './tree.ts';

const run = promisify(execFile);
const ExamplesSuite = suite('examples');
/** Modules that others load. */
const PARTS = ['transform.js', 'schema.js'];
const printed: Readonly<Record<string, string>> = {
  'ingest-with-transform.js': [
    'accepted 4, acked 3, dropped 1',
    '{"sku":"pear","count":2,"order":"o-1"}',
    '{"sku":"fig","count":1,"order":"o-1"}',
    '{"id":"o-2","type":"cancelled","source":null,"seen":1}',
    '',
  ].join('\n'),
  'durable-reader.js': 'billed o-1\nbilled o-2\nbilled o-3\nbilled o-4\n',
};

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-examples-'));
mkdirSync(path.join(folder, 'node_modules'));
symlinkSync(root, path.join(folder, 'node_modules', 'millrace'), 'dir');
writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
const names = readdirSync(path.join(root, 'examples')).filter((name) => name.endsWith('.js'));
for (const name of names) writeFileSync(path.join(folder, name), readFileSync(path.join(root, 'examples', name)));

ExamplesSuite('each example is known here', () => {
  assert.equal(names.filter((name) => !PARTS.includes(name)).sort(), Object.keys(printed).sort());
});

for (const [name, expected] of Object.entries(printed)) {
  ExamplesSuite(`${name} prints what it should`, async () => {
    const { stdout } = await run(process.execPath, [path.join(folder, name)], { cwd: folder, timeout: 30_000 });
    assert.is(stdout, expected);
  });
}

ExamplesSuite.after(() => rmSync(folder, { recursive: true, force: true }));
ExamplesSuite.run();
