/** Subject filters with NATS wildcards: `*` is exactly one token, a last `>` is one or more. Compiled once, cheap per subject. */

export type SubjectFilter = (subject: string) => boolean;

/** The filter's fault in words, or null when it is well formed. */
export function filterFault(filter: string): string | null {
  if (filter === '') return 'it is empty';
  if (/[\s\0-\x1f\x7f]/u.test(filter)) return 'it holds white space or a control character';
  const tokens = filter.split('.');
  for (const [index, token] of tokens.entries()) {
    if (token === '') return 'it has an empty token';
    if (token.length > 1 && /[*>]/u.test(token)) return `the wildcard in '${token}' is not a token of its own`;
    if (token === '>' && index < tokens.length - 1) return `'>' is not its last token`;
  }
  return null;
}

/** A well-formed filter becomes a test of subjects. The common shapes (all, one subject, a prefix) never split the subject. */
export function compileFilter(filter: string): SubjectFilter {
  if (filter === '>') return () => true;
  if (!/[*>]/u.test(filter)) return (subject) => subject === filter;
  const tokens = filter.split('.');
  const tail = tokens[tokens.length - 1] === '>';
  const fixed = tail ? tokens.slice(0, -1) : tokens;
  if (tail && !fixed.includes('*')) {
    const prefix = filter.slice(0, -1); // keeps the dot, so at least one more token must follow
    return (subject) => subject.length > prefix.length && subject.startsWith(prefix);
  }
  return (subject) => {
    const parts = subject.split('.');
    if (tail ? parts.length <= fixed.length : parts.length !== fixed.length) return false;
    return fixed.every((token, index) => token === '*' || token === parts[index]);
  };
}
