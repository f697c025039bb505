/** The little of WebAssembly that the ring needs, typed here because Node's types leave it to the DOM's. */

/** A shared WebAssembly.Memory: cloneable to workers, its buffer is a SharedArrayBuffer. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

interface WebAssemblyGlobal {
  readonly Memory: new (request: { readonly initial: number; readonly maximum: number; readonly shared: true }) => SharedMemory;
}

/** Reserves `pages` × 64 KiB; a page is resident when first touched. */
export function createSharedMemory(pages: number): SharedMemory {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal };
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}
