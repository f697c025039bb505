/** A dead letter that was flushed is found again, whole, by any process, until it is purged. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { MillraceError } from '../../../src/api/errors.ts';
import { createSharedMemory } from '../../../src/memory/webassembly.ts';
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import { processPlace } from '../../../src/resilience/process-place.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { allOf, letter, temporaryFolder } from './dead-letter-fixtures.ts';

const DeadLetters = timedSuite('dead letters');

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const { path, remove } = temporaryFolder();
  try {
    await work(path);
  } finally {
    remove();
  }
}

async function failure(work: () => Promise<unknown>): Promise<MillraceError> {
  const error: unknown = await work().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, MillraceError);
  return error as MillraceError;
}

DeadLetters('make the folder at the first letter, readable by its owner only', () =>
  inFolder(async (folder) => {
    const store = await DeadLetterStore.open(folder);
    assert.equal([await allOf(store), existsSync(folder)], [[], false]);
    await store.flush();
    assert.is(store.append(letter()), true);
    await store.flush();
    assert.equal([store.count, store.safeCount], [1, 1]);
    assert.is(statSync(folder).mode & 0o777, 0o700);
    await store.close();
    await store.close();
    const [name] = readdirSync(folder);
    assert.match(name!, /^\d{8}T\d{9}Z-[0-9a-f]{8}\.letters$/u);
    assert.is(statSync(join(folder, name!)).mode & 0o777, 0o600);
    assert.throws(() => store.append(letter()), /closed/u);
  }),
);

DeadLetters('keep every member, and any bytes, and copy them from shared memory', () =>
  inFolder(async (folder) => {
    const shared = new Uint8Array(createSharedMemory(1).buffer, 0, 300);
    const property = fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('input' as const, 'msgpack' as const),
      async (raw, text, encoding) => {
        const store = await DeadLetterStore.open(folder);
        shared.set(raw);
        const before = Date.now();
        const input = letter({ raw: shared.subarray(0, raw.length), message: text, subject: text, headers: { a: text }, encoding });
        store.append(input);
        shared.fill(0);
        await store.flush();
        const [read] = await allOf(store, { after: new Date(before - 1) });
        assert.ok(Buffer.from(raw).equals(read!.raw));
        // Lone surrogates cannot be written as UTF-8; JSON escapes them.
        const { raw: _, ...facts } = input;
        const { raw: __, id, time, rawBytes, rawSha256, ...readFacts } = read!;
        assert.equal(readFacts, facts);
        assert.equal([rawBytes, rawSha256, time.getTime() >= before], [raw.length, null, true]);
        assert.is((await store.get(id))!.id, id);
        assert.is(await store.purge({}), 1);
        await store.close();
      },
    );
    await fc.assert(property, { numRuns: 60 });
    assert.equal(readdirSync(folder), []);
  }),
);

DeadLetters('can be read with cut and a JSON reader', () =>
  inFolder(async (folder) => {
    const store = await DeadLetterStore.open(folder);
    store.append(letter({ raw: Buffer.from('{"näme":1}}') }));
    store.append(letter({ raw: Buffer.from([0xff, 1]) }));
    await store.close();
    const lines = readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8')
      .trimEnd()
      .split('\n');
    const values = lines.map((line) => JSON.parse(line.replace(/^\S+ \S+ /u, '')) as { text?: string; base64?: string });
    assert.equal(
      values.map(({ text, base64 }) => text ?? base64),
      ['{"näme":1}}', '/wE='],
    );
    for (const line of lines) assert.is(Number.parseInt(line.slice(0, 8), 16), crc32(line.slice(9)));
  }),
);

const cuts = [
  { name: 'cut here', given: {}, bytes: 5_000, hash: createHash('sha256').update(Buffer.alloc(5_000, 'x')).digest('hex') },
  { name: 'cut by the caller', given: { rawBytes: 9_000_000_000, rawSha256: 'ab' }, bytes: 9_000_000_000, hash: 'ab' },
  { name: 'cut by the caller, hash unknown', given: { rawBytes: 6_000 }, bytes: 6_000, hash: null },
];
for (const { name, given, bytes, hash } of cuts)
  DeadLetters(`keep the beginning, size and hash of an event that is ${name}`, () =>
    inFolder(async (folder) => {
      const store = await DeadLetterStore.open(folder, { rawBytesMax: 1_000 });
      store.append(letter({ raw: Buffer.alloc(5_000, 'x'), ...given }));
      await store.close();
      const [read] = await allOf(store);
      assert.equal([read!.raw.length, read!.rawBytes, read!.rawSha256], [1_000, bytes, hash]);
    }),
  );

DeadLetters('end a segment at its size, and come back in order', () =>
  inFolder(async (folder) => {
    let time = Date.UTC(2025, 0, 1);
    const store = await DeadLetterStore.open(folder, { segmentBytesMax: 2_000, now: () => new Date((time += 1_000)) });
    for (let number = 0; number < 40; number += 1) {
      store.append(letter({ message: `${number}` }));
      if (number % 3 === 0) await store.flush();
    }
    await store.close();
    assert.ok(readdirSync(folder).length > 5);
    assert.equal(
      (await allOf(store)).map(({ message }) => Number(message)),
      Array.from({ length: 40 }, (_, number) => number),
    );
    assert.is(
      (await allOf(store, { before: new Date(Date.UTC(2025, 0, 1, 0, 0, 30)) })).at(-1)!.time.getTime() < Date.UTC(2025, 0, 1, 0, 0, 30),
      true,
    );
  }),
);

DeadLetters('say when the queue is full, and are appended all the same', () =>
  inFolder(async (folder) => {
    const store = await DeadLetterStore.open(folder, { queueBytesMax: 2_000 });
    let room = 0;
    while (store.append(letter())) room += 1;
    assert.ok(room > 1 && room < 10);
    await store.flush();
    assert.is(store.append(letter()), true);
    await store.close();
    assert.is((await allOf(store)).length, room + 2);
  }),
);

DeadLetters('of several writers are all found, and purged while they write', () =>
  inFolder(async (folder) => {
    const stores = await Promise.all([1, 2, 3].map(() => DeadLetterStore.open(folder)));
    for (const [index, store] of stores.entries()) {
      store.append(letter({ reason: 'invalid_utf8', message: `${index}` }));
      store.append(letter({ reason: 'transform', message: `${index}` }));
      await store.flush();
    }
    assert.is((await allOf(stores[0]!)).length, 6);
    // Two segments belong to other writers, who live (this process): their letters are marked, not rewritten.
    assert.is(await stores[0]!.purge({ reason: 'transform' }), 3);
    assert.is(readdirSync(folder).filter((name) => name.endsWith('.purged')).length, 2);
    assert.equal(
      (await allOf(stores[1]!)).map(({ reason }) => reason),
      Array(3).fill('invalid_utf8'),
    );
    assert.is(await stores[0]!.purge({ reason: 'transform' }), 0);
    stores[1]!.append(letter({ message: 'later' }));
    await Promise.all(stores.map((store) => store.close()));
    assert.is((await allOf(stores[0]!)).length, 4);
    // All are sealed now: the marks are carried out.
    assert.is(await stores[0]!.purge({ ids: new Set() }), 0);
    assert.is(readdirSync(folder).filter((name) => name.endsWith('.purged')).length, 0);
    assert.is((await allOf(stores[0]!)).length, 4);
    const { id } = (await allOf(stores[0]!, { reason: 'invalid_json' }))[0]!;
    assert.is(await stores[0]!.purge({ ids: new Set([id]) }), 1);
    assert.equal([await stores[0]!.get(id), await stores[0]!.purge({}), readdirSync(folder)], [null, 3, []]);
  }),
);

DeadLetters('of a writer that died are sealed and purged', () =>
  inFolder(async (folder) => {
    const store = await DeadLetterStore.open(folder);
    store.append(letter());
    store.append(letter({ reason: 'transform' }));
    await store.close();
    const [name] = readdirSync(folder);
    // No process has this number: Linux ends at 2^22.
    renameSync(join(folder, name!), join(folder, name!.replace('.letters', `.${processPlace}.99999999.open`)));
    assert.is(await store.purge({ reason: 'transform' }), 1);
    assert.equal(readdirSync(folder), [name]);
    assert.is((await allOf(store)).length, 1);
  }),
);

DeadLetters('are purged by one process at a time; a dead one’s lock is taken over', () =>
  inFolder(async (folder) => {
    const store = await DeadLetterStore.open(folder);
    store.append(letter());
    await store.close();
    const lock = join(folder, 'purge.lock');
    for (const holder of [`${processPlace} ${process.pid} x\n`, '00000000 5 x\n', 'junk']) {
      writeFileSync(lock, holder);
      const error = await failure(() => store.purge({}));
      assert.is(error.code, 'MILLRACE_DEAD_LETTERS');
      assert.match(error.message, /purge\.lock is held by process/u);
    }
    writeFileSync(lock, `${processPlace} 99999999 x\n`);
    assert.is(await store.purge({}), 1);
    assert.equal(readdirSync(folder), []);
  }),
);

DeadLetters('refuse a folder that is none', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, '..'), { recursive: true });
    writeFileSync(folder, 'x');
    const error = await failure(() => DeadLetterStore.open(folder));
    assert.equal([error.code, /it is not a folder/u.test(error.message)], ['MILLRACE_DEAD_LETTERS', true]);
  }),
);

DeadLetters.run();
