/** What is used here of Node's WebAssembly: TypeScript has its types in the browser's library alone (WebAssembly JavaScript interface, W3C). */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Global {
    constructor(descriptor: { readonly value: 'i32'; readonly mutable: boolean }, value: number)
    value: number
  }
  interface Memory {
    readonly buffer: ArrayBuffer
  }
  type Exports = Readonly<Record<string, Global | ((...values: number[]) => number) | undefined>>
  class Instance {
    constructor(module: Module)
    readonly exports: Exports
  }
}
