/** Where the project, its results and its cache are, whether compiled or not. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

function root(): string {
  let folder = fileURLToPath(new URL('.', import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = join(folder, '..');
  return folder.replace(/\/$/, '');
}

export const projectFolder: string = root();
export const resultsFolder: string = join(projectFolder, 'bench', 'results');
export const cacheFolder: string = join(projectFolder, 'node_modules', '.cache', 'millrace', 'bench');
