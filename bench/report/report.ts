/** Makes PERF.md's tables and charts. */
export async function writeReport(): Promise<void> {}
