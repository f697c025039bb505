/** The public names are frozen: one more or one less is a change of this list, and so of the version. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { codeOf, root } from './tree.ts';

/** Values and types, in alphabetical order, as `src/index.ts` exports them. */
const PUBLIC_NAMES: readonly string[] = [
  'Capabilities',
  'Compaction',
  'ConnectOptions',
  'Delivery',
  'DrainOptions',
  'DurableInfo',
  'ErrorCode',
  'ErrorContext',
  'EventProcessor',
  'FailureOutcome',
  'Format',
  'Framing',
  'Handler',
  'Headers',
  'Health',
  'IdRule',
  'IngestOptions',
  'IngestReport',
  'Ledger',
  'Logger',
  'MillraceError',
  'ModuleReference',
  'OnFull',
  'ProcessorEvents',
  'ProcessorKind',
  'ProcessorState',
  'Progress',
  'PublishOptions',
  'Receipt',
  'ReplayOptions',
  'Source',
  'StandardSchema',
  'StartPosition',
  'Stats',
  'StoreInfo',
  'SubscribeOptions',
  'Subscription',
  'Transform',
  'TransformContext',
  'WindowStats',
  'WorkerHandler',
  'backupStore',
  'compactStore',
  'connect',
  'decodeEvent',
  'processorKinds',
  'storeInfo',
  'toJsonLine',
];

/** Names of every export clause and declaration of a module; `export *` shows as itself, since it would hide what is public. */
function exportedNames(text: string): string[] {
  const code = codeOf(text);
  const clauses = [...code.matchAll(/\bexport\s+(?:type\s+)?\{([^}]*)\}/g)].flatMap((match) => match[1]!.split(','));
  const declared = [...code.matchAll(/\bexport\s+(?:async\s+)?(?:const|let|function\*?|class|interface|type)\s+(\w+)/g)].map(
    (match) => match[1]!,
  );
  const stars = [...code.matchAll(/\bexport\s+\*.*$/gm)].map((match) => match[0]);
  const named = clauses.map((name) =>
    name
      .replace(/^\s*type\s+/, '')
      .split(/\s+as\s+/)
      .at(-1)!
      .trim(),
  );
  return [...named.filter((name) => name !== ''), ...declared, ...stars].toSorted();
}

const ExportsSuite = suite('exports');
ExportsSuite('the reader of exports sees every form', () => {
  const text =
    "export { a, type B, c as d } from './x.ts';\nexport type { E } from './y.ts';\nexport function f(): void {}\n// export { no }\nexport * from './z.ts';";
  assert.equal(exportedNames(text), ['B', 'E', 'a', 'd', "export * from './z.ts';", 'f']);
});

ExportsSuite('src/index.ts exports the frozen list', () => {
  assert.equal(exportedNames(readFileSync(path.join(root, 'src/index.ts'), 'utf8')), PUBLIC_NAMES);
});
ExportsSuite.run();
