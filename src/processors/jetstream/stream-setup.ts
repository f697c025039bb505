/** Makes the stream when it is missing and may be made, or says exactly in what an existing one differs from what was asked for. */
import { MillraceError, messageOf } from '../../api/errors.ts';
import type { ProcessorKind } from '../../api/capabilities.ts';
import type { ResolvedOptions } from '../../config/resolved.ts';
import type { JetStreamManager, NatsConnection, StreamConfig, StreamInfo } from '../../connections/nats-library.ts';
import { covers, derivedSubjects } from './subject-cover.ts';

export const API_MS_MAX = 5_000;
/** Subjects that are remembered as verified. */
export const KNOWN_MAX = 16_384;
const NANOS = 1_000_000;
const WINDOW_MS_MIN = 100;
/** The first server whose fast ingest is complete. */
const BATCHED_SINCE: readonly number[] = [2, 14, 3];

const STREAM_NOT_FOUND = 10_059;
const STREAM_NAME_IN_USE = 10_058;
const notEnabled: ReadonlySet<number> = new Set([10_039, 10_076]);

interface ApiError {
  readonly code: number;
  readonly err_code: number;
  readonly description: string;
}

export const apiErrorOf = (thrown: unknown): ApiError | undefined => (thrown as { readonly api_error?: ApiError } | null)?.api_error;

export class StreamSetup {
  readonly #options: ResolvedOptions;
  readonly #kind: ProcessorKind;
  readonly #known = new Set<string>();
  #pending: Promise<void> = Promise.resolve();
  /** The duplicate window of the stream as it was last seen. */
  windowMs: number;
  /** It takes batches, and what it stores can be found again as it was sent. */
  batched = false;

  constructor(options: ResolvedOptions, kind: ProcessorKind) {
    this.#options = options;
    this.#kind = kind;
    this.windowMs = options.dedupeWindowMs;
  }

  /** Cheap when the subjects are known; calls run one after the other, so a stream is made once. */
  prepare(connection: NatsConnection, subjects: readonly string[]): Promise<void> {
    const fresh = subjects.filter((subject) => !this.#known.has(subject));
    if (fresh.length === 0 && this.#known.size > 0) return Promise.resolve();
    const next = this.#pending.then(() => this.#verify(connection, fresh));
    this.#pending = next.catch(() => undefined);
    return next;
  }

  /** Subjects that `prepare` knows; bounded, however many there are. */
  get known(): number {
    return this.#known.size;
  }

  /** What a reader needs: the stream as it is. */
  async existing(connection: NatsConnection): Promise<StreamInfo> {
    const info = await this.#info(await manager(connection));
    if (info === null) throw this.#missing('readers do not create it');
    return info;
  }

  async #verify(connection: NatsConnection, subjects: readonly string[]): Promise<void> {
    const jsm = await manager(connection);
    let info = await this.#info(jsm);
    if (info === null) info = await this.#create(jsm, connection, subjects);
    this.#check(info.config, subjects);
    this.batched = isBatched(connection, info.config);
    for (const subject of subjects) {
      // All at once: the next publish to each asks the broker once more.
      if (this.#known.size >= KNOWN_MAX) this.#known.clear();
      this.#known.add(subject);
    }
  }

  /** The stream as it is now, for whoever publishes batches. */
  async look(connection: NatsConnection): Promise<{ readonly last: number; readonly batched: boolean }> {
    const { config, state } = await (await manager(connection)).streams.info(this.#options.stream);
    return { last: state.last_seq, batched: isBatched(connection, config) };
  }

  async #info(jsm: JetStreamManager): Promise<StreamInfo | null> {
    try {
      return await jsm.streams.info(this.#options.stream);
    } catch (error) {
      if (apiErrorOf(error)?.err_code === STREAM_NOT_FOUND) return null;
      throw this.#failed(error, 'look at');
    }
  }

  async #create(jsm: JetStreamManager, connection: NatsConnection, subjects: readonly string[]): Promise<StreamInfo> {
    if (!this.#options.createStream) throw this.#missing('createStream is off');
    const config = this.#config(connection.info?.version ?? '0.0.0', subjects);
    try {
      return await jsm.streams.add(config);
    } catch (error) {
      const { err_code: code } = apiErrorOf(error) ?? {};
      // Another process made it in the meantime: what it made is verified like any other.
      const made = code === STREAM_NAME_IN_USE ? await this.#info(jsm) : null;
      if (made !== null) return made;
      throw this.#failed(error, 'create');
    }
  }

  #config(version: string, subjects: readonly string[]): Partial<StreamConfig> & { readonly name: string } {
    const { stream, subjects: named, storage, replicas, maxAgeMs, maxBytes, maxMessages, dedupeWindowMs } = this.#options;
    const taken = named.length > 0 ? [...named] : derivedSubjects(subjects);
    if (taken === null || taken.length === 0)
      throw this.#missing(`its subjects cannot be told from ${subjects.join(', ') || 'nothing'}: name them in the option subjects`);
    const windowMs = Math.max(WINDOW_MS_MIN, maxAgeMs > 0 ? Math.min(dedupeWindowMs, maxAgeMs) : dedupeWindowMs);
    return {
      name: stream,
      subjects: taken,
      storage: storage as StreamConfig['storage'],
      num_replicas: replicas,
      max_age: maxAgeMs * NANOS,
      max_bytes: maxBytes > 0 ? maxBytes : -1,
      max_msgs: maxMessages > 0 ? maxMessages : -1,
      duplicate_window: windowMs * NANOS,
      ...(atLeast(version, BATCHED_SINCE) ? ({ allow_batched: true } as object) : {}),
    };
  }

  #check(config: StreamConfig, subjects: readonly string[]): void {
    const { stream, dedupeWindowMs } = this.#options;
    const windowMs = config.duplicate_window / NANOS;
    this.windowMs = windowMs;
    if (this.#kind === 'dedupe' && windowMs < dedupeWindowMs) {
      const cure = `lower dedupeWindow to ${windowMs}ms, or widen the stream's: nats stream edit ${stream} --dupe-window=${dedupeWindowMs}ms`;
      const message = `stream ${stream} remembers message ids for ${windowMs} ms, dedupeWindow asks for ${dedupeWindowMs} ms: ${cure}`;
      throw new MillraceError('MILLRACE_STREAM_MISMATCH', message, { context: { stream, option: 'dedupeWindow' } });
    }
    const outside = subjects.find((subject) => !config.subjects.some((pattern) => covers(pattern, subject)));
    if (outside === undefined) return;
    const message = `stream ${stream} takes ${config.subjects.join(', ')}, and not ${outside}: name it in the option subjects of a new stream, or add it to this one`;
    throw new MillraceError('MILLRACE_SUBJECT_NOT_IN_STREAM', message, { context: { stream, subject: outside, option: 'subjects' } });
  }

  #missing(why: string): MillraceError {
    const { stream } = this.#options;
    return new MillraceError('MILLRACE_STREAM_MISSING', `there is no stream ${stream}, and ${why}`, {
      context: { stream, option: 'createStream' },
    });
  }

  #failed(thrown: unknown, verb: string): MillraceError {
    const { stream } = this.#options;
    const code = apiErrorOf(thrown)?.err_code ?? 0;
    const { code: natsCode } = thrown as { code?: string };
    const off = notEnabled.has(code) || natsCode === '503';
    const reason = off ? 'JetStream is not enabled on the server (start it with -js)' : messageOf(thrown);
    const denied = natsCode === 'PERMISSIONS_VIOLATION';
    return new MillraceError(denied ? 'MILLRACE_AUTH' : 'MILLRACE_BROKER', `cannot ${verb} stream ${stream}: ${reason}`, {
      retryable: !off && !denied && (code === 0 || code === 10_008),
      cause: thrown,
      context: { stream, brokerCode: code },
    });
  }
}

export function manager(connection: NatsConnection): Promise<JetStreamManager> {
  return connection.jetstreamManager({ timeout: API_MS_MAX, checkAPI: false });
}

function isBatched({ info }: NatsConnection, config: StreamConfig): boolean {
  const {
    allow_batched: allowed,
    subject_transform: transformed,
    no_ack: silent,
    retention,
  } = config as StreamConfig & { readonly allow_batched?: boolean; readonly subject_transform?: object };
  const kept: string = retention;
  return (
    allowed === true &&
    transformed === undefined &&
    silent !== true &&
    kept === 'limits' &&
    atLeast(info?.version ?? '0.0.0', BATCHED_SINCE)
  );
}

function atLeast(version: string, wanted: readonly number[]): boolean {
  const have = version.split(/[.-]/).map(Number);
  for (let part = 0; part < wanted.length; part++) {
    const difference = (have[part] ?? 0) - wanted[part]!;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
