/** Reads the number that a reply subject ends in: the slot of the message that it answers. */
import type { Msg } from '../../connections/nats-library.ts';

/** The id in the reply subject, read from its bytes where the library keeps them. */
export function idOf(message: Msg, from: number): number {
  const bytes = (message as unknown as { readonly _msg?: { readonly subject?: Uint8Array } })._msg?.subject;
  if (bytes === undefined) return Number(message.subject.slice(from));
  let id = 0;
  for (let at = from; at < bytes.length; at++) id = id * 10 + (bytes[at]! - 0x30);
  return id;
}
