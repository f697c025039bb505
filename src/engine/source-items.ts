/** Pulls the items of a stream or iterable one at a time: never ahead, and a pull that waits ends at once on close or abort. */
import { Readable } from 'node:stream';
import { abortedError, reasonOfSystemError, sourceError } from './source-types.ts';

export type Item = { readonly done: boolean; readonly value: unknown };

/** The little of an iterator that is used. `stop` frees what is underneath and must not wait for a pending `next`. */
interface Puller {
  next(): PromiseLike<IteratorResult<unknown>> | IteratorResult<unknown>;
  stop(pending: boolean): PromiseLike<unknown> | undefined;
}

type Iterables = AsyncIterable<unknown> | Iterable<unknown>;

export class ItemReader {
  readonly name: string;
  readonly #puller: Puller;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => void this.close();
  /** Rejects the pull that waits. One holder, so that no long-lived promise gathers reactions. */
  #interrupt: ((error: unknown) => void) | null = null;
  #ended = false;
  #closing: Promise<void> | null = null;

  constructor(name: string, from: object, signal?: AbortSignal) {
    this.name = name;
    this.#signal = signal;
    this.#puller = pullerOf(name, from);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
  }

  /** Closed or aborted: what was pulled before is not handed out any more. */
  throwIfStopped(): void {
    if (this.#closing !== null) throw this.#aborted();
  }

  async next(): Promise<Item> {
    this.throwIfStopped();
    if (this.#ended) return { done: true, value: undefined };
    const item = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
      this.#interrupt = reject;
      void this.#pull().then(resolve, reject);
    }).finally(() => (this.#interrupt = null));
    if (item.done === true) this.#ended = true;
    return item.done === true ? { done: true, value: undefined } : { done: false, value: item.value };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #pull(): Promise<IteratorResult<unknown>> {
    try {
      return await this.#puller.next();
    } catch (error) {
      this.#ended = true;
      throw this.#closing === null ? sourceError(this.name, reasonOfSystemError(error), error) : this.#aborted();
    }
  }

  async #close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    const pending = this.#interrupt !== null;
    this.#interrupt?.(this.#aborted());
    try {
      await this.#puller.stop(pending);
    } catch {
      // The source's own cleanup failed; nothing more is read from it, and what was read is whole.
    }
  }

  #aborted(): Error {
    return abortedError(this.name, this.#signal?.reason);
  }
}

function pullerOf(name: string, from: object): Puller {
  if (from instanceof Readable) return readablePuller(from);
  if ('getReader' in from) return webPuller(name, from as ReadableStream<unknown>);
  const iterables = from as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  const iterator = iterables[Symbol.asyncIterator]?.() ?? iterables[Symbol.iterator]!();
  return {
    next: () => iterator.next(),
    // A generator that waits in `next` queues its `return` behind it, maybe for ever: asked, and not waited for.
    stop: (pending) => {
      const returned = Promise.resolve(iterator.return?.());
      if (!pending) return returned;
      returned.catch(() => undefined);
      return undefined;
    },
  };
}

function readablePuller(stream: Readable): Puller {
  stream.on('error', () => undefined); // It comes out of the iterator; before the first pull it would end the process.
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    stop: () => {
      if (stream.closed) return undefined;
      const closed = new Promise<void>((resolve) => stream.once('close', resolve));
      stream.destroy();
      return closed;
    },
  };
}

function webPuller(name: string, stream: ReadableStream<unknown>): Puller {
  if (stream.locked) throw sourceError(name, 'the stream is locked by another reader');
  const reader = stream.getReader();
  return { next: () => reader.read() as Promise<IteratorResult<unknown>>, stop: () => reader.cancel() };
}

/** Anything that `ItemReader` can pull from. */
export function isPullable(source: unknown): source is Iterables {
  if (typeof source !== 'object' || source === null) return false;
  return Symbol.asyncIterator in source || Symbol.iterator in source || 'getReader' in source;
}
