/** Reads a folder of dead letters as `dlq` will: by the store's own way. */
import { existsSync } from 'node:fs';
import type { DeadLetter } from '../../../src/resilience/dead-letter-types.ts';
import { DeadLetterStore } from '../../../src/resilience/dead-letters.ts';

/** Oldest first; none when the folder was never made. */
export async function readLetters(folder: string): Promise<DeadLetter[]> {
  if (!existsSync(folder)) return [];
  const store = await DeadLetterStore.open(folder);
  const letters: DeadLetter[] = [];
  for await (const letter of store.list()) letters.push(letter);
  await store.close();
  return letters;
}
