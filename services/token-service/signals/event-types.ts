/** CAEP 1.0 §3 and RISC 1.0 §2: what is told. */
export const sessionRevoked = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
export const credentialChange = 'https://schemas.openid.net/secevent/caep/event-type/credential-change'
export const assuranceLevelChange = 'https://schemas.openid.net/secevent/caep/event-type/assurance-level-change'
export const deviceComplianceChange = 'https://schemas.openid.net/secevent/caep/event-type/device-compliance-change'
export const accountDisabled = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled'
export const eventTypes = [
  sessionRevoked,
  credentialChange,
  assuranceLevelChange,
  deviceComplianceChange,
  accountDisabled,
] as const

/** SSF 1.0 §8.1.4: sent when a receiver asks for it, whatever events it wants. */
export const verification = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
