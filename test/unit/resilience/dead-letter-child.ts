/** A process that appends dead letters and tells how many are safe, until it is killed. Arguments: folder, its name. */
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';
import { letter } from './dead-letter-fixtures.ts';

const [, , folder = '', name = ''] = process.argv;
const store = await DeadLetterStore.open(folder, { segmentBytesMax: 20_000 });
for (let number = 0; ; number += 3) {
  for (const offset of [0, 1, 2]) store.append(letter({ subject: name, message: `${number + offset}` }));
  await store.flush();
  process.send!(store.safeCount);
}
