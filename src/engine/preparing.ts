/** The stream is made or verified before the first publish: once for each first token, or for each subject where the stream takes less than that. */
import { MillraceError } from '../api/errors.ts';
import { checkSubject } from '../codec/subject.ts';
import type { Broker } from '../processors/broker.ts';

const SUBJECTS_KEPT_MAX = 4_096; // Subjects of a narrow stream known to be in it; cleared when full.
const DONE: Promise<void> = Promise.resolve();

export class Preparing {
  readonly #broker: Broker;
  readonly #tokens: Map<string, Promise<void>> = new Map();
  /** First tokens of which the stream takes a part only. */
  readonly #narrow: Set<string> = new Set();
  readonly #subjects: Set<string> = new Set();
  #last: string | null = null; // The subject that was found to be done last: mostly it comes again.

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Null = done; after a wait, ask again. Fails when the stream does not take the subject. */
  prepare(subject: string): Promise<void> | null {
    if (subject === this.#last) return null;
    const wait = this.#prepareToken(subject);
    if (wait === null) this.#last = subject;
    return wait;
  }

  #prepareToken(subject: string): Promise<void> | null {
    const token = subject.split('.', 1)[0]!;
    const known = this.#tokens.get(token);
    if (known === DONE) return this.#narrow.has(token) ? this.#prepareOne(subject) : null;
    if (known !== undefined) return known;
    checkSubject(subject); // A wildcard must not become a stream that takes everything.
    const preparing = prepareStream(this.#broker, [token, `${token}.>`], subject).then(
      (whole) => {
        if (!whole) this.#narrow.add(token);
        this.#tokens.set(token, DONE);
      },
      (error: unknown) => {
        this.#tokens.delete(token);
        throw error;
      },
    );
    this.#tokens.set(token, preparing);
    return preparing;
  }

  #prepareOne(subject: string): Promise<void> | null {
    if (this.#subjects.has(subject)) return null;
    checkSubject(subject);
    return this.#broker.prepare([subject]).then(() => {
      if (this.#subjects.size === SUBJECTS_KEPT_MAX) this.#subjects.clear();
      this.#subjects.add(subject);
    });
  }
}

/** `wide`: what a stream that must be made takes. One that is there may take less, if it takes `needed`: false then. */
export async function prepareStream(broker: Broker, wide: readonly string[], needed: string): Promise<boolean> {
  try {
    await broker.prepare(wide);
    return true;
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'MILLRACE_SUBJECT_NOT_IN_STREAM' || wide.length === 0) throw error;
    await broker.prepare([needed]);
    return false;
  }
}
