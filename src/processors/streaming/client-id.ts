/**
 * Client ids (pitfall 7): the server throws out the older of two clients with one id, so each session of each process has its own, except
 * that of a durable, whose id is part of its position and must be the same after a restart.
 */
import { randomBytes } from 'node:crypto';

const NONCE_BYTES = 6;

/** The server takes letters, digits, `-` and `_` only; names that differ elsewhere must not become one. */
function tame(text: string): string {
  const tamed = text.replace(/[^A-Za-z0-9_-]/g, '_');
  return tamed === text ? text : `${tamed}_${hashOf(text).toString(36)}`;
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** One made for this process, or the one that was asked for. */
export const publisherId = (named: string, name: string): string => (named === '' ? `${tame(name)}-${nonce()}` : named);

export function readerId(
  own: string,
  request: { readonly durable: string; readonly queue: string; readonly filter: string },
  name: string,
): string {
  const { durable, queue, filter } = request;
  // A durable queue group is known by its name alone, so its members stay unique.
  if (durable === '' || queue !== '') return `${own}-${nonce()}`;
  return `${tame(name)}-durable-${tame(`${durable}.${filter}`)}`;
}

const nonce = (): string => randomBytes(NONCE_BYTES).toString('hex');
