/** What the broker says of a pull request, out of a message without a payload: `NATS/1.0 <code> <words>` and how much of the request was left. */
import type { RawMessage } from '../../connections/raw-message.ts';

export interface PullStatus {
  /** 0: it says none. */
  readonly code: number;
  readonly said: string;
  /** Messages that the request still had; 0 where it does not tell. */
  readonly left: number;
}

const FIRST_LINE = /^NATS\/1\.0\s+(\d+)\s*([^\r\n]*)/;
const LEFT = /^Nats-Pending-Messages:\s*(\d+)/im;

export function readStatus({ bytes, start, payloadStart }: RawMessage): PullStatus {
  const block = Buffer.from(bytes.buffer, bytes.byteOffset + start, payloadStart - start).toString('utf8');
  const [, code = '0', said = ''] = FIRST_LINE.exec(block) ?? [];
  return { code: Number(code), said, left: Number(LEFT.exec(block)?.[1] ?? '0') };
}
