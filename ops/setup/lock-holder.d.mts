export type Holder = { readonly pid: number; readonly start: string; readonly keeper: number; readonly keeperStart: string }
export function readHolder(path: string): Holder | undefined
export function isHeld(holder: Holder): boolean
export function isAlive(pid: number, start: string): boolean
export function startOf(pid: number): string
