/** Reads the number that a reply subject ends in: the slot of the message that it answers. */
import type { RawMessage } from '../../connections/raw-message.ts';

const DIGIT_0 = 0x30;

/** The id after the first `prefixBytes` of the subject. Whatever else stands there gives a number that no slot has. */
export function idOf({ bytes, subjectStart, subjectEnd }: RawMessage, prefixBytes: number): number {
  let id = 0;
  for (let at = subjectStart + prefixBytes; at < subjectEnd; at++) id = id * 10 + (bytes[at]! - DIGIT_0);
  return id;
}
