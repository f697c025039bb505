/** Reads `host:port` lists: each server comes out with its port, and credentials written before an `@` come out apart. */
import type { Faults } from './faults.ts';
import { decode } from './percent.ts';

export interface Servers {
  /** `host:port`, in the order given; IPv6 in brackets. */
  readonly servers: readonly string[];
  /** user and password, or token, as `user:password@` or `token@` gave them; `tls` for a `tls://` server. */
  readonly credentials: ReadonlyMap<string, string>;
}

const HOST_AND_PORT = /^(\[[0-9a-f:.]+(?:%[\w.-]+)?\]|[^\s:[\]/?#@]+)(?::(\d+))?$/i;
const SCHEME = /^(nats|tls|kafka|stan):\/\//i;

export function readServers(
  list: readonly string[],
  port: number,
  { from, faults }: { readonly from: string; readonly faults: Faults },
): Servers {
  const servers: string[] = [];
  const credentials = new Map<string, string>();
  const texts = list.flatMap((item) => item.split(',')).map((text) => text.trim());
  // A comma in a password cuts it in two: then neither half may be shown.
  const hidden = texts.some((text) => text.includes('@'));
  for (const text of texts) {
    const scheme = SCHEME.exec(text)?.[0] ?? '';
    if (scheme.toLowerCase() === 'tls://') credentials.set('tls', 'require');
    const rest = text.slice(scheme.length).replace(/\/$/, '');
    const at = rest.lastIndexOf('@');
    if (at !== -1) readUserInfo(rest.slice(0, at), credentials, { from, faults });
    const server = readServer(rest.slice(at + 1), port);
    if (server !== null) servers.push(server);
    else
      faults.add(
        from,
        `${hidden ? 'one of the servers' : `"${text}"`} is no server`,
        `expected HOST:PORT with a port from 1 to 65535${hidden ? '; in a password write , as %2C' : ''}`,
      );
  }
  return { servers, credentials };
}

function readServer(text: string, port: number): string | null {
  const match = HOST_AND_PORT.exec(text);
  if (match === null) return null;
  const given = match[2] === undefined ? port : Number(match[2]);
  return given >= 1 && given <= 65_535 ? `${match[1]}:${given}` : null;
}

function readUserInfo(
  info: string,
  credentials: Map<string, string>,
  { from, faults }: { readonly from: string; readonly faults: Faults },
): void {
  const colon = info.indexOf(':');
  const found: readonly (readonly [string, string])[] =
    colon === -1
      ? [['token', decode(info, from, faults)]]
      : [
          ['user', decode(info.slice(0, colon), from, faults)],
          ['password', decode(info.slice(colon + 1), from, faults)],
        ];
  for (const [name, value] of found) {
    if (credentials.has(name) && credentials.get(name) !== value)
      faults.add(from, `the servers have different values for ${name}`, 'use one for all');
    credentials.set(name, value);
  }
}
