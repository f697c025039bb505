/** Who may import whom: the table of the architecture as data, and the rules that read it. */
import type { Import } from './tree.ts';

/** Folder of src (or `workers`, `index`) to the folders it may import besides itself. */
export const allowedFolders: Readonly<Record<string, readonly string[]>> = {
  api: [],
  config: ['api'],
  memory: ['api'],
  codec: ['api'],
  workers: ['api', 'memory', 'codec'],
  connections: ['api', 'config'],
  processors: ['api', 'config', 'connections'],
  resilience: ['api', 'config'],
  observe: ['api', 'config'],
  engine: ['api', 'config', 'memory', 'codec', 'workers', 'connections', 'processors', 'resilience', 'observe'],
  index: ['api', 'codec', 'config', 'engine', 'processors', 'resilience', 'observe'],
  cli: ['index', 'api', 'config', 'observe', 'resilience'],
};

/** Each library has one home: prefixes of the paths that may import it. */
export const libraryHomes: Readonly<Record<string, readonly string[]>> = {
  piscina: ['src/engine/'],
  msgpackr: ['src/codec/'],
  nats: ['src/connections/', 'src/processors/simple/', 'src/processors/jetstream/', 'src/processors/dedupe/'],
  'node-nats-streaming': ['src/processors/streaming/'],
  '@platformatic/kafka': ['src/processors/kafka/'],
  lmdb: ['src/processors/embedded/'],
  commander: ['src/cli/'],
  tinyglobby: ['src/cli/'],
  'prom-client': ['src/observe/'],
  '@opentelemetry/api': ['src/observe/'],
  'pprof-format': ['src/observe/'],
  fastify: ['src/cli/'],
};

/** Folders whose code runs in workers or is pure: what they need comes through the slab. */
const SILENT = ['api', 'memory', 'codec', 'workers'];
const INPUT_OUTPUT = /^node:(?:fs|net|tls|dns|dgram|https?|http2|child_process|cluster|readline|repl|process)(?:\/|$)/;

/** `src/engine/x.ts` → `engine`, `src/index.ts` → `index`, `workers/x.ts` → `workers`, tests and benches → their folder. */
export function folderOf(file: string): string {
  const parts = file.split('/');
  if (parts[0] !== 'src') return parts[0]!;
  return parts.length === 2 ? parts[1]!.replace(/\.ts$/, '') : parts[1]!;
}

export function forbiddenImports(imports: readonly Import[]): string[] {
  return imports.filter(isProduct).flatMap(({ from, to, relative }) => {
    const folder = folderOf(from);
    if (!relative) return SILENT.includes(folder) && INPUT_OUTPUT.test(to) ? [`${from}: ${folder} does no I/O, yet imports ${to}`] : [];
    const target = folderOf(to);
    if (target === folder) return [];
    const allowed = allowedFolders[folder];
    if (allowed === undefined) return [`${from}: the folder ${folder} is not in the table of folders`];
    return allowed.includes(target) ? [] : [`${from}: ${folder} may not import ${target} (${to})`];
  });
}

export function misplacedLibraries(imports: readonly Import[]): string[] {
  return imports
    .filter((one) => isProduct(one) && !one.relative && !one.to.startsWith('node:'))
    .flatMap(({ from, to }) => {
      const homes = libraryHomes[to];
      if (homes === undefined) return [`${from}: the library ${to} has no home in the table`];
      return homes.some((home) => from.startsWith(home)) ? [] : [`${from}: ${to} is imported only in ${homes.join(', ')}`];
    });
}

/** Each cycle once, as the path around it. Imports of types count: they tie files together as well. */
export function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, relative } of imports) if (relative) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.push([...trail.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}

function isProduct({ from }: Import): boolean {
  return from.startsWith('src/') || from.startsWith('workers/');
}
