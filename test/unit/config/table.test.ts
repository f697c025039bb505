/** What is made from the option table: env names, the library's types and the page of the documentation. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveConnect } from '../../../src/config/connect-options.ts';
import { configurationPage } from '../../../src/config/option-docs.ts';
import { envName } from '../../../src/config/rows.ts';
import type { ConnectOptions } from '../../../src/config/table.ts';
import { callRows, connectRows } from '../../../src/config/table.ts';

const Table = suite('option table');

Table('has the env names of the contract', () => {
  const names = new Set(Object.keys(connectRows).map(envName));
  for (const name of [
    'WORKERS',
    'SLABS',
    'SLAB_BYTES',
    'CONNECTIONS',
    'MAX_IN_FLIGHT_BYTES',
    'BATCH_BYTES',
    'BATCH_EVENTS',
    'LINGER_MS',
    'DEDUPE_WINDOW',
    'DEDUPE_CAPACITY',
  ])
    assert.ok(names.has(`MILLRACE_${name}`), name);
});

Table('documents every option', () => {
  const page = configurationPage();
  for (const name of [connectRows, callRows.ingest, callRows.consume].flatMap((rows) => Object.keys(rows)))
    assert.ok(page.includes(`| \`${name}\``), name);
});

Table('docs/configuration.md is what `millrace docs options` prints', () => {
  const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
  assert.ok(page === configurationPage(), 'node dist/src/cli/main.js docs options > docs/configuration.md');
});

Table('the type of the options follows the table', () => {
  const options: ConnectOptions = {
    servers: ['a', 'b'],
    stream: 'S',
    workers: 2,
    window: '2m',
    slabBytes: '64KiB',
    lingerMs: 5,
    id: '/id',
    framing: 'each',
    subjects: 'a,b',
    createStream: false,
  };
  assert.is(resolveConnect('jetstream', { ...options, env: {} }).options.dedupeWindowMs, 120_000);
  // @ts-expect-error -- no such choice
  assert.throws(() => resolveConnect('simple', { framing: 'some', env: {} }));
  // @ts-expect-error -- no such name
  assert.throws(() => resolveConnect('simple', { wrokers: 1, env: {} }));
  // @ts-expect-error -- not a rule for ids
  assert.throws(() => resolveConnect('simple', { id: 'id', env: {} }));
});

Table.run();
