/**
 * Lets an open socket read into one piece of memory, again and again: memory for each read anew is 64 KiB a time, and lets V8 collect all
 * of the heap twenty times a second. Node has an option of `net.connect` for that (`onread`), which the NATS client does not pass on; this
 * sets what the option sets. Private to Node; read in versions 20 and 24.
 */
import type { Socket } from 'node:net';

/** What one read gives, at most. Twice or four times what Node reads: fewer turns for the same bytes, and still within a core's cache. */
export const READ_BYTES: number = 256 * 1_024;

interface Internals {
  readonly _handle?: { useUserBuffer?(memory: Uint8Array): void } | null;
  readonly encrypted?: boolean;
}

export class SocketMemory {
  readonly #memory: Uint8Array = Buffer.allocUnsafeSlow(READ_BYTES);
  /** Is given what was read; the bytes are valid during the call only. */
  take: (bytes: Uint8Array) => void;

  private constructor(take: (bytes: Uint8Array) => void) {
    this.take = take;
  }

  /** From now on `take` hears what the socket reads, and its `data` listeners hear nothing. Null = Node is not built as known, and nothing has changed. */
  static open(socket: Socket, take: (bytes: Uint8Array) => void): SocketMemory | null {
    const { _handle: handle, encrypted } = socket as unknown as Internals;
    const own = Object.getOwnPropertySymbols(socket);
    const [memoryKey, heardKey] = ['kBuffer', 'kBufferCb'].map((name) => own.find((symbol) => symbol.description === name));
    if (encrypted === true || typeof handle?.useUserBuffer !== 'function' || memoryKey === undefined || heardKey === undefined) return null;
    const opened = new SocketMemory(take);
    const memory = opened.#memory;
    handle.useUserBuffer(memory);
    Object.assign(socket, { [heardKey]: (bytes: number) => opened.take(new Uint8Array(memory.buffer, 0, bytes)), [memoryKey]: memory });
    return opened;
  }

  /** Bytes that stay as they are, for somebody who keeps them. */
  lasting(bytes: Uint8Array): Uint8Array {
    return bytes.buffer === this.#memory.buffer ? new Uint8Array(bytes) : bytes;
  }
}
