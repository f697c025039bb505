/** Which subjects a stream takes: NATS wildcards compared as sets, and the subjects a stream gets when none are named. */

/** Does the pattern take every subject that the filter takes? `{field}` in a filter stands for any token. */
export function covers(pattern: string, filter: string): boolean {
  const wide = pattern.split('.');
  const narrow = filter.split('.');
  for (let at = 0; at < wide.length; at++) {
    if (wide[at] === '>') return narrow.length > at;
    const token = narrow[at];
    if (token === undefined || token === '>') return false;
    if (wide[at] !== '*' && (isOpen(token) || wide[at] !== token)) return false;
  }
  return narrow.length === wide.length;
}

/** May the two have a subject in common? */
export function overlaps(one: string, other: string): boolean {
  const a = one.split('.');
  const b = other.split('.');
  for (let at = 0; ; at++) {
    if (a[at] === undefined || b[at] === undefined) return a[at] === b[at];
    if (a[at] === '>' || b[at] === '>') return true;
    if (!isOpen(a[at]!) && !isOpen(b[at]!) && a[at] !== b[at]) return false;
  }
}

/** `lat.x` gives `lat` and `lat.>`; null when the first token is not fixed, so that nothing can be derived. */
export function derivedSubjects(subjects: readonly string[]): string[] | null {
  const roots = new Set<string>();
  for (const subject of subjects) {
    const root = subject.split('.')[0]!;
    if (isOpen(root) || root === '>' || root === '') return null;
    roots.add(root);
  }
  return [...roots].flatMap((root) => [root, `${root}.>`]);
}

const isOpen = (token: string): boolean => token === '*' || token.includes('{');
