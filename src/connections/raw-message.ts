/** A message as it lies in the bytes of a socket. */
import type { Msg } from './nats-library.ts';

/** Where a message lies. The object is used again for the next, and the bytes are valid during the call only. */
export interface RawMessage {
  bytes: Uint8Array;
  subjectStart: number;
  subjectEnd: number;
  /** `replyStart === replyEnd`: there is none. */
  replyStart: number;
  replyEnd: number;
  /** The header block is `[start, payloadStart)`, empty when there is none. */
  start: number;
  payloadStart: number;
  end: number;
}

/** A message that came through the client, in the same form. */
export function rawOf(message: Msg): RawMessage {
  const [subject, reply] = [Buffer.from(message.subject), Buffer.from(message.reply ?? '')];
  const block = (message.headers as unknown as { encode?(): Uint8Array } | undefined)?.encode?.() ?? new Uint8Array(0);
  const start = subject.length + reply.length;
  const bytes = new Uint8Array(Buffer.concat([subject, reply, block, message.data]));
  const raw = { bytes, subjectStart: 0, subjectEnd: subject.length, replyStart: subject.length, replyEnd: start };
  return { ...raw, start, payloadStart: start + block.length, end: bytes.length };
}
