/** What a frame writer is given: messages, and the connection they leave by. */
import type { Socket } from 'node:net';

/** One message as it goes on the wire; the bytes `[start, end)` must stay as they are until its flush is done or the socket is dead. */
export interface Frame {
  /** Written into the frame as it is: with many subjects a table of their bytes costs more than it saves. */
  readonly subject: string;
  /** Its first `replyBytes` are the reply subject. */
  readonly reply: Uint8Array;
  readonly replyBytes: number;
  readonly memory: Uint8Array;
  readonly start: number;
  readonly payloadStart: number;
  readonly end: number;
  /** So many bytes before `start`, and two after `end`, may be written to: the frame is then built around the message and leaves in one piece. */
  readonly lead: number;
}

/** The parts of the client's connection that are used beside its public face. */
export interface ClientWire {
  readonly socket: Socket;
  /** TLS copies what it encrypts in pieces: there we copy before. */
  readonly encrypted: boolean;
  /** Sends what the client holds, if it holds any. */
  flushClient(): void;
}
