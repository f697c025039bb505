/** Where dead letters go: whatever is behind it, a letter that was appended is never dropped, and `flush` says when it is safe. */
import { schemes } from '../config/url.ts';
import type { DeadLetterInput } from './dead-letter-types.ts';

export interface LetterSink {
  /** Queues a letter; it is never refused. False = wait for `flush` before the next, or memory grows. */
  append(letter: DeadLetterInput): boolean;
  /** Resolves when every letter appended before is safe; rejects when it is not yet, and may be called again. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Of letters that a broker did not take, and of runs that reach no broker. */
export const DEFAULT_LETTER_FOLDER = 'millrace-dead-letters';
/** All letters have a subject below it, `dead-letters.REASON`; where a reader cannot ask for all of them at once, it is this one. */
export const LETTER_SUBJECT = 'dead-letters';

/** A broker's, in contrast to a folder. An unknown scheme counts: the error of whoever reads it says so. */
export function isLetterUrl(place: string): boolean {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(place)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(schemes, scheme) || /^[a-z][a-z0-9+.-]*:\/\//i.test(place);
}
