/** Opens the broker that takes dead letters; one that cannot keep them, or is not there, is an error before anything is taken in. */
import { MillraceError } from '../api/errors.ts';
import type { EventProcessor } from '../api/processor.ts';
import { resolveConnect } from '../config/connect-options.ts';
import { redactUrl } from '../config/redact.ts';
import type { ResolvedOptions } from '../config/resolved.ts';
import type { Broker } from '../processors/broker.ts';
import { kindsWith } from '../processors/not-supported.ts';
import { DeadLetterStore } from '../resilience/dead-letters.ts';
import type { LetterSink } from '../resilience/letter-sink.ts';
import { DEFAULT_LETTER_FOLDER, isLetterUrl } from '../resilience/letter-sink.ts';
import { RemoteLetters } from '../resilience/remote-letters.ts';
import type { Signals } from './signals.ts';

/** Little memory, no threads, no letters about letters. The environment is the other broker's: its credentials and subjects have no place here. */
const LETTER_OPTIONS = { workers: 0, slabs: 4, dedupeCapacity: 1_024, deadLetters: 'off', env: {} } as const;

const TOLD_EACH_MS = 10_000;

/** By folder or URL; what it has to tell goes to the engine's own signals. */
export type OpenLetters = (place: string, signals: Signals) => Promise<LetterSink>;

/** The engine itself, which may not be imported here: it is what needs this. */
interface Opener {
  open(options: ResolvedOptions): Promise<EventProcessor>;
}

export function lettersOpener(engine: Opener, { path }: Broker): OpenLetters {
  return async (place, signals) => {
    const folder = (name: string): Promise<DeadLetterStore> => DeadLetterStore.open(name, { onError: seldom(signals) });
    if (!isLetterUrl(place)) return folder(place);
    const options = resolve(place);
    // A dry run reaches no broker.
    if (path === 'dry-run') return folder(DEFAULT_LETTER_FOLDER);
    const store = await folder(DEFAULT_LETTER_FOLDER);
    const processor = await named(place, () => engine.open(options));
    return new RemoteLetters({ processor, url: place, folder: store, onWarning: (message) => signals.emit('warning', message) });
  };
}

/** A disk that stays full is asked several times a second, and told about now and then. */
function seldom(signals: Signals): (error: MillraceError) => void {
  let toldMs = -Infinity;
  return (error) => {
    if (performance.now() - toldMs < TOLD_EACH_MS) return;
    toldMs = performance.now();
    signals.emit('error', error);
  };
}

function resolve(place: string): ResolvedOptions {
  try {
    const { options } = resolveConnect(place, LETTER_OPTIONS);
    if (kindsWith.persistent.includes(options.kind)) return options;
    throw new MillraceError('MILLRACE_NOT_SUPPORTED', `${options.kind} keeps nothing; ${kindsWith.persistent.join(', ')} can`, {
      context: { processor: options.kind },
    });
  } catch (error) {
    throw renamed(place, error);
  }
}

async function named<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw renamed(place, error);
  }
}

/** Two brokers are at work: the error says whose it is. */
function renamed(place: string, error: unknown): unknown {
  if (!(error instanceof MillraceError)) return error;
  const { code, message, retryable, context } = error;
  return new MillraceError(code, `dead letters at ${redactUrl(place)}: ${message}`, { retryable, context, cause: error });
}
