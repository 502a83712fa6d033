/** The part of WebAssembly that this program uses: Node has it, but its types do not. */
declare namespace WebAssembly {
  /** The module is not one, or needs instructions that the processor does not have. */
  class CompileError extends Error {}

  class Memory {
    /** @param size in pages of 64 KiB */
    constructor(size: { readonly initial: number; readonly maximum: number });
    readonly buffer: ArrayBuffer;
    /** Makes it larger: then it has another buffer, and the former one is empty. */
    grow(pages: number): number;
  }

  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
  }

  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Memory>>);
    readonly exports: Record<string, unknown>;
  }
}
