export { controlEntries, type TableEntry } from './control-entries.ts'
export { agentSpiffeId, createTrustDomain, definitionHash, humanEntry, type TrustDomain } from './domain.ts'
export { issueJob, type JobTokens, operatorGrants } from './job.ts'
export {
  admittedDevice,
  agentName,
  agents,
  type DeviceTpm,
  deviceEntry,
  deviceProfiles,
  humans,
  jobGrants,
  laboratory,
} from './laboratory.ts'
