/** The message with one more header, in private memory: the broker stores it only while nothing was stored after the sequence named. */
import type { OutboundMessage } from '../broker.ts';

const STATUS_LINE = 'NATS/1.0\r\n';
const BREAK_BYTES = 2;

export function withExpectedSequence({
  subject,
  memory,
  start,
  payloadStart,
  end,
  count,
  expectedSequence = -1,
}: OutboundMessage): OutboundMessage {
  const line = Buffer.from(`Nats-Expected-Last-Sequence: ${expectedSequence}\r\n\r\n`);
  const headers = start === payloadStart ? Buffer.from(STATUS_LINE) : memory.subarray(start, payloadStart - BREAK_BYTES);
  const bytes = Buffer.concat([headers, line, memory.subarray(payloadStart, end)]);
  return { subject, memory: bytes, start: 0, payloadStart: headers.length + line.length, end: bytes.length, count };
}
