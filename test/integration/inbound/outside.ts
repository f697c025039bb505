/** Writes messages as they are, past everything that Millrace does to what it publishes: headers and bytes of any kind. */
import { Producer } from '@platformatic/kafka';
import { connect, headers as natsHeaders } from 'nats';
import { openRig } from '../embedded/store-rig.ts';
import type { Rig, RigKind } from './rig.ts';

export type OutsideHeaders = Readonly<Record<string, string>>;

export interface Outside {
  /** Resolves when it is stored. */
  publish(subject: string, headers: OutsideHeaders, bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function openOutside(kind: RigKind, rig: Rig): Promise<Outside> {
  if (kind === 'embedded') return toStore(rig.url.slice('embedded:'.length));
  return kind === 'kafka' ? toKafka(rig.url) : toNats(new URL(rig.url).host);
}

async function toStore(path: string): Promise<Outside> {
  const { broker, publish } = await openRig(path);
  return {
    publish: async (subject, headers, bytes) => {
      const block = Buffer.from(
        `NATS/1.0\r\n${Object.entries(headers)
          .map(([name, value]) => `${name}: ${value}\r\n`)
          .join('')}\r\n`,
      );
      const memory = Buffer.concat([block, bytes]);
      const outcome = await publish({ subject, memory, payloadStart: block.length });
      if ('error' in outcome) throw outcome.error;
    },
    close: () => broker.close(),
  };
}

async function toKafka(url: string): Promise<Outside> {
  const [, host, topic] = /^kafka:\/\/([^/]+)\/(.+)$/.exec(url)!;
  const producer = new Producer({ clientId: 'outside', bootstrapBrokers: [host!] });
  return {
    publish: async (subject, headers, bytes) => {
      const all = Object.entries({ 'Millrace-Subject': subject, ...headers });
      const block = new Map(all.map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const));
      await producer.send({
        messages: [{ topic: topic!, key: Buffer.from(subject), value: Buffer.from(bytes), headers: block }],
        acks: -1,
      });
    },
    close: () => producer.close(),
  };
}

async function toNats(host: string): Promise<Outside> {
  const connection = await connect({ servers: host });
  return {
    publish: async (subject, headers, bytes) => {
      const block = natsHeaders();
      for (const [name, value] of Object.entries(headers)) block.set(name, value);
      await connection.jetstream().publish(subject, bytes, { headers: block });
    },
    close: () => connection.close(),
  };
}
