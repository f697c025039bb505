/** The first connect to Kafka: bounded, with the best SASL mechanism the broker offers, and an error that says what to look at. */
import { MillraceError, messageOf } from '../../api/errors.ts';
import type { ErrorCode } from '../../api/error-codes.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import { redact } from '../../connections/nats-errors.ts';
import type { Admin, KafkaLibrary } from './kafka-library.ts';
import type { KafkaSettings } from './settings.ts';
import { kafkaSettings, mechanismsFor } from './settings.ts';

export interface Connected {
  readonly admin: Admin;
  readonly settings: KafkaSettings;
  readonly warnings: readonly string[];
}

export async function connectKafka(library: KafkaLibrary, options: ResolvedOptions, signal?: AbortSignal): Promise<Connected> {
  const deadlineMs = performance.now() + options.connectTimeoutMs;
  let failure: unknown;
  for (const mechanism of mechanismsFor(options)) {
    const warnings: string[] = [];
    const settings = kafkaSettings(options, mechanism, warnings);
    const admin = new library.Admin(settings);
    try {
      await bounded(admin.metadata({ topics: [], forceUpdate: true }), { deadlineMs, options, signal });
      return { admin, settings, warnings };
    } catch (error) {
      failure = error;
      void Promise.resolve(admin.close()).catch(() => undefined);
      if (!/SASL mechanism/i.test(wholeText(error))) break; // Another mechanism would not help.
    }
  }
  throw connectError(failure, options);
}

interface Bounds {
  readonly deadlineMs: number;
  readonly options: ResolvedOptions;
  readonly signal: AbortSignal | undefined;
}

async function bounded<T>(work: Promise<T>, { deadlineMs, options, signal }: Bounds): Promise<T> {
  void work.catch(() => undefined); // Nobody waits for it after an abort, and it fails when its client is closed.
  if (signal?.aborted === true) throw new MillraceError('MILLRACE_ABORTED', 'the connect was aborted', { cause: signal.reason });
  const stop = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    const message = `no Kafka broker at ${options.servers.join(', ')} answered within ${options.connectTimeoutMs} ms`;
    const timer = setTimeout(
      () => reject(new MillraceError('MILLRACE_CONNECT', message, { context: { processor: 'kafka' } })),
      deadlineMs - performance.now(),
    );
    const abort = (): void => reject(new MillraceError('MILLRACE_ABORTED', 'the connect was aborted', { cause: signal?.reason }));
    signal?.addEventListener('abort', abort, { signal: stop.signal });
    stop.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop.abort();
  }
}

/** The library says "failed" at the top, and why at the bottom. */
function wholeText(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 8) return '';
  const { code, errors } = error as { readonly code?: string; readonly errors?: readonly unknown[] };
  const parts = [...(errors ?? []), error.cause].map((part) => wholeText(part, depth + 1));
  return [code ?? '', messageOf(error), ...parts].filter((part) => part !== '').join(': ');
}

function connectError(thrown: unknown, options: ResolvedOptions): MillraceError {
  if (thrown instanceof MillraceError) return thrown;
  const text = redact(wholeText(thrown), options);
  const where = options.servers.join(', ');
  const [code, message] = sayingOf(text, where);
  // The cause may hold the options with their secrets: it stays out.
  return new MillraceError(code, message, { context: { processor: 'kafka', servers: options.servers } });
}

function sayingOf(text: string, where: string): readonly [ErrorCode, string] {
  if (/PLT_KFK_AUTHENTICATION|SASL/i.test(text)) return ['MILLRACE_AUTH', `${where} refused the credentials: ${text}`];
  if (/certificate|\bCERT_|ERR_TLS|ERR_SSL|TLS handshake|SELF_SIGNED/i.test(text))
    return ['MILLRACE_TLS', `no secure connection to ${where}: ${text}`];
  const refused = /ECONNREFUSED/.test(text) ? 'connection refused' : text;
  return ['MILLRACE_CONNECT', `cannot reach a Kafka broker at ${where}: ${refused}`];
}
