/** The documentation says what the code says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorTable } from '../../src/api/error-codes.ts';
import { envName } from '../../src/config/rows.ts';
import { callRows, connectRows } from '../../src/config/table.ts';
import { kindsWith } from '../../src/processors/not-supported.ts';
import { declaredCapabilities, describedCapabilities } from './capability-table.ts';
import { generatedPages } from './docs.ts';
import { undocumented } from './tidy.ts';
import { readTree, root } from './tree.ts';

const page = (name: string): string => readFileSync(path.join(root, 'docs', name), 'utf8');

const byName = (a: string, b: string): number => a.localeCompare(b);

const DocsSuite = suite('docs');
for (const [name, text] of generatedPages())
  DocsSuite(`docs/${name} is what npm run docs writes`, () => assert.ok(page(name) === text, `docs/${name} is old: npm run docs`));

DocsSuite('every error code is documented, and every code in use is in the table', () => {
  assert.equal(undocumented(Object.keys(errorTable), page('errors.md')), []);
  const used = [...readTree()].filter(([file]) => file.startsWith('src/') || file.startsWith('workers/'));
  const codes = new Set(used.flatMap(([, text]) => [...text.matchAll(/MillraceError\(\s*'(\w+)'/g)].map((match) => match[1]!)));
  assert.equal(
    [...codes].filter((code) => !(code in errorTable)),
    [],
  );
});
DocsSuite('every option is documented by its environment name', () => {
  const options = [connectRows, ...Object.values(callRows)].flatMap((rows) => Object.keys(rows));
  assert.equal(undocumented(options.map(envName), page('configuration.md')), []);
});
DocsSuite('every capability is described, and the kinds that errors name are those that declare it', async () => {
  const described = describedCapabilities(readFileSync(path.join(root, 'src/api/capabilities.ts'), 'utf8'));
  const declared = await declaredCapabilities();
  for (const [kind, capabilities] of Object.entries(declared)) {
    assert.equal(Object.keys(capabilities).toSorted(byName), [...described.keys()].toSorted(byName), kind);
    for (const [name, kinds] of Object.entries(kindsWith))
      assert.is((kinds as readonly string[]).includes(kind), capabilities[name as keyof typeof capabilities], `${kind}: ${name}`);
  }
});
DocsSuite.run();
