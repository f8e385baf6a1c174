/** How far an issuer's clock may be ahead of ours, where what it issues is for one use. Behind it may be more: that is only forgotten later. */
const aheadMsMax = 2000
/** `iat` is in whole seconds. */
const roundedMs = 1000

/** How old a process must be before it takes anything: whatever the one before it took is then, by its `iat`, from before the start. */
export const silentMs = aheadMsMax + roundedMs

/**
 * Why something that is for one use cannot be told from what was used already: uses are remembered in memory, and a restart forgets them. So what is from
 * before it does not count, and nothing is taken that is dated so far ahead that it could seem to be from after it. Milliseconds since 1970.
 */
export function forgottenUse(
  issuedAt: number,
  { now, startedAt }: { readonly now: number; readonly startedAt: number },
): 'before-start' | 'not-yet-valid' | undefined {
  if (issuedAt > now + aheadMsMax) return 'not-yet-valid'
  return issuedAt < startedAt - roundedMs ? 'before-start' : undefined
}
