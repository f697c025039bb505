/** Writes the generated pages of docs/: run by `npm run docs`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generatedPages } from './docs.ts';
import { root } from './tree.ts';

mkdirSync(path.join(root, 'docs'), { recursive: true });
for (const [name, text] of generatedPages()) {
  writeFileSync(path.join(root, 'docs', name), text);
  console.log(`docs/${name}`);
}
