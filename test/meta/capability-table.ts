/** The table of docs/processors.md that says what each kind can: from the capabilities that the adapters declare, in the words of the interface. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { processorKinds } from '../../src/api/capabilities.ts';
import type { Capabilities, ProcessorKind } from '../../src/api/capabilities.ts';
import { resolveConnect } from '../../src/config/connect-options.ts';
import { createBroker } from '../../src/processors/registry.ts';
import { root } from './tree.ts';

const BEGIN = '<!-- capabilities -->';
const END = '<!-- /capabilities -->';

const urls: Readonly<Record<ProcessorKind, string>> = {
  embedded: 'embedded:docs',
  simple: 'nats://127.0.0.1',
  jetstream: 'nats+jetstream://127.0.0.1/DOCS',
  dedupe: 'nats+dedupe://127.0.0.1/DOCS',
  streaming: 'stan://127.0.0.1/DOCS',
  kafka: 'kafka://127.0.0.1/DOCS',
};

/** What each kind declares; nothing is connected to. */
export async function declaredCapabilities(): Promise<Readonly<Record<ProcessorKind, Capabilities>>> {
  const pairs = processorKinds.map(async (kind) => {
    const broker = await createBroker(resolveConnect(urls[kind], { env: {} }).options);
    return [kind, broker.capabilities] as const;
  });
  return Object.fromEntries(await Promise.all(pairs)) as Record<ProcessorKind, Capabilities>;
}

/** Names of the interface with their comments, in its order. */
export function describedCapabilities(source: string): ReadonlyMap<keyof Capabilities, string> {
  const members = source.matchAll(/\/\*\* ([^\n]*?)\.? \*\/\n\s*readonly (\w+): boolean;/g);
  return new Map([...members].map((match) => [match[2] as keyof Capabilities, match[1]!]));
}

/** The page with its table made anew between the markers; the rest is written by hand. */
export async function processorsPage(): Promise<string> {
  const page = readFileSync(path.join(root, 'docs/processors.md'), 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/processors.md needs ${BEGIN} and ${END}`);
  const table = capabilityTable(await declaredCapabilities(), readFileSync(path.join(root, 'src/api/capabilities.ts'), 'utf8'));
  return `${page.slice(0, begin + BEGIN.length)}\n${table}\n${page.slice(end)}`;
}

function capabilityTable(declared: Readonly<Record<ProcessorKind, Capabilities>>, source: string): string {
  const rows = [...describedCapabilities(source)].map(([name, text]) => {
    const cells = processorKinds.map((kind) => (declared[kind][name] ? 'yes' : 'no'));
    return `| \`${name}\`: ${text} | ${cells.join(' | ')} |`;
  });
  const kinds = processorKinds.map((kind) => `\`${kind}\``).join(' | ');
  return [`| capability | ${kinds} |`, `| --- |${' --- |'.repeat(processorKinds.length)}`, ...rows].join('\n');
}
