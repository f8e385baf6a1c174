export type Release = { readonly name: string; readonly version: string; readonly files: URL }
export const releases: { readonly kafka: Release; readonly apicurio: Release }
export function cacheDirectory(environment?: NodeJS.ProcessEnv): string
export function releaseDirectory(release: Release, environment?: NodeJS.ProcessEnv): string
export function isCached(release: Release, environment?: NodeJS.ProcessEnv): boolean
