import type { Release } from './releases.mjs'
export function missingReleases(): Release[]
export function bringReleases(): Promise<void>
export function readChecksums(text: string): Map<string, string>
export function verify(release: Release, files: ReadonlyMap<string, string>, directory: string): Promise<void>
