/** Processes that write dead letters into one folder and are killed at any moment lose none that counted as safe. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import { timedSuite } from '../../harness/timeout.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { allOf, temporaryFolder } from './dead-letter-fixtures.ts';

const Killed = timedSuite('killed writers', { timeoutMs: 60_000 });
const child = fileURLToPath(new URL('./dead-letter-child.js', import.meta.url));

Killed('lose no letter that was safe, have no two with one id, and leave segments that can be purged', async () => {
  const folder = temporaryFolder();
  const writers = ['a', 'b', 'c'].map((name) => ({ name, safe: 0, process: fork(child, [folder.path, name]) }));
  try {
    for (const writer of writers) writer.process.on('message', (safe) => (writer.safe = Number(safe)));
    const store = await DeadLetterStore.open(folder.path);
    await waitFor('letters of all', () => writers.every(({ safe }) => safe > 60));
    // Purged under the writers' hands: what is safe now is gone, and nothing that comes later.
    const purged = new Set((await allOf(store, { subject: 'b' })).map(({ message }) => Number(message)));
    assert.is((await store.purge({ subject: 'b', before: new Date() })) >= purged.size, true);
    for (const [index, { process: writer }] of writers.entries()) {
      const before = writers[index]!.safe;
      await waitFor('more letters', () => writers[index]!.safe > before + index);
      const ended = once(writer, 'exit');
      writer.kill('SIGKILL');
      assert.equal(await ended, [null, 'SIGKILL']);
    }
    const letters = await allOf(store);
    assert.is(new Set(letters.map(({ id }) => id)).size, letters.length);
    for (const { name, safe } of writers) {
      const numbers = letters.filter(({ subject }) => subject === name).map(({ message }) => Number(message));
      const first = name === 'b' ? numbers[0]! : 0;
      assert.equal(
        numbers,
        Array.from({ length: numbers.length }, (_, index) => first + index),
      );
      assert.ok(first + numbers.length >= safe, `${name}: ${first + numbers.length} found, ${safe} safe`);
    }
    assert.equal([await store.purge({}), await allOf(store), (await store.summary()).segments], [letters.length, [], 0]);
  } finally {
    for (const { process: writer } of writers) writer.kill('SIGKILL');
    folder.remove();
  }
});

Killed.run();
