/** Modules of types alone have no code: each is loaded once, so that coverage counts it as run and not as forgotten. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readTree, root } from './tree.ts';

const compiled = (file: string): string => path.join(root, 'dist', file.replace(/\.ts$/, '.js'));

/** Only what the compiler leaves of a file of types: comments and an empty export. */
function hasNoCode(file: string): boolean {
  const text = readFileSync(compiled(file), 'utf8');
  return /^(?:\/\*[\s\S]*?\*\/|\/\/.*|\s)*export \{\};(?:\/\*[\s\S]*?\*\/|\/\/.*|\s)*$/.test(text);
}

const TypesOnlySuite = suite('modules of types');
const product = [...readTree().keys()].filter((file) => file.startsWith('src/') || file.startsWith('workers/'));

TypesOnlySuite('load, and export nothing', async () => {
  const files = product.filter((file) => existsSync(compiled(file)) && hasNoCode(file));
  assert.ok(files.includes('src/api/event.ts'), 'the search finds them');
  assert.not(files.includes('src/api/errors.ts'), 'and only them');
  for (const file of files) assert.equal(Object.keys(await import(pathToFileURL(compiled(file)).href)), []);
});
TypesOnlySuite.run();
