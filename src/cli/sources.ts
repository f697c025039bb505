/** Turns the sources of a command line into readable files and stdin, before anything is connected. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { MillraceError, messageOf } from '../api/errors.ts';

/** stdin, as the command line writes it. */
export const STDIN = '-';

/** Files in the order given, those of a pattern by name; `-` stays. A path named twice is there twice. Fails with MILLRACE_SOURCE. */
export async function expandSources(sources: readonly string[]): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const source of sources) {
    if (source === STDIN) {
      if (paths.includes(STDIN)) throw new MillraceError('MILLRACE_USAGE', 'stdin (-) is named twice, and can be read once');
      paths.push(source);
      // A file's own name wins over its meaning as a pattern: `data[1].ndjson` is read when it is there.
    } else if (existsSync(source) || !isDynamicPattern(source)) paths.push(checkReadable(source));
    else paths.push(...(await expandPattern(source)));
  }
  return paths;
}

async function expandPattern(pattern: string): Promise<readonly string[]> {
  const found = await glob(pattern, { onlyFiles: true, dot: false, expandDirectories: false, absolute: isAbsolute(pattern) });
  if (found.length === 0) throw new MillraceError('MILLRACE_SOURCE', `no file matches "${pattern}"`, { context: { file: pattern } });
  return found.sort().map((path) => checkReadable(path));
}

function checkReadable(path: string): string {
  const context = { context: { file: path } };
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new MillraceError('MILLRACE_SOURCE', `"${path}" cannot be read: ${reasonOf(error)}`, { ...context, cause: error });
  }
  if (isFolder)
    throw new MillraceError(
      'MILLRACE_SOURCE',
      `"${path}" is a folder; name its files, for example "${path.replace(/\/$/, '')}/*.ndjson"`,
      context,
    );
  return path;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  switch (code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'ENOTDIR':
      return 'a part of its path is no folder';
    default:
      return messageOf(error);
  }
}
