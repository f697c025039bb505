/** Dead letters as the `dlq` commands see them, in a folder or at a broker; what a broker cannot do is said, not tried. */
import { MillraceError } from '../api/errors.ts';
import type { EventProcessor } from '../api/processor.ts';
import { redactUrl } from '../config/redact.ts';
import { letterOf } from '../resilience/dead-letter-line.ts';
import type { Damage, DeadLetter, DeadLetterFilter } from '../resilience/dead-letter-types.ts';
import { matchesFilter } from '../resilience/dead-letter-types.ts';
import { DeadLetterStore } from '../resilience/dead-letters.ts';
import { LETTER_SUBJECT, isLetterUrl } from '../resilience/letter-sink.ts';

export interface LetterPlace {
  /** As it is printed. */
  readonly name: string;
  /** Single letters can be taken out of it. */
  readonly removes: boolean;
  list(filter: DeadLetterFilter, options: { readonly onDamage: (damage: Damage) => void }): AsyncIterable<DeadLetter>;
  /** How many were removed. */
  purge(filter: DeadLetterFilter): Promise<number>;
  close(): Promise<void>;
}

/** `place` is what `--dead-letters` says. */
export async function openPlace(place: string, signal?: AbortSignal): Promise<LetterPlace> {
  if (place === 'off')
    throw new MillraceError('MILLRACE_CONFIG', 'dead letters are off; expected where they are, as --dead-letters FOLDER or URL');
  if (!isLetterUrl(place)) return folderPlace(await DeadLetterStore.open(place));
  const { connect } = await import('../index.ts');
  return new BrokerPlace(
    place,
    await connect(place, { workers: 0, deadLetters: 'off', env: {}, ...(signal === undefined ? {} : { signal }) }),
  );
}

function folderPlace(store: DeadLetterStore): LetterPlace {
  return {
    name: store.folder,
    removes: true,
    list: (filter, options) => store.list(filter, options),
    purge: (filter) => store.purge(filter),
    close: () => store.close(),
  };
}

/** A stream of letters: it is read from its beginning, and letters leave it as its own limits say. */
class BrokerPlace implements LetterPlace {
  readonly name: string;
  readonly removes: boolean = false;
  readonly #processor: EventProcessor;

  constructor(url: string, processor: EventProcessor) {
    this.name = redactUrl(url);
    this.#processor = processor;
    processor.on('error', () => undefined); // The reading ends with it.
  }

  async *list(filter: DeadLetterFilter): AsyncGenerator<DeadLetter> {
    const subject = this.#processor.capabilities.wildcards ? `${LETTER_SUBJECT}.>` : LETTER_SUBJECT;
    for await (const { event } of this.#processor.replay({ subject, start: 'all' })) {
      const letter = letterOf(event);
      if (letter !== null && matchesFilter(letter, filter)) yield letter;
    }
  }

  async purge(): Promise<number> {
    throw new MillraceError(
      'MILLRACE_NOT_SUPPORTED',
      `letters cannot be taken out of ${this.name} one by one: they leave it as its own limits say (maxAge, maxBytes, maxMessages), or with the broker’s own tools; letters in a folder can be`,
    );
  }

  close(): Promise<void> {
    return this.#processor.close();
  }
}
