export {
  BoundsPolicies,
  type PolicyDecision,
  type PolicyInput,
  type PolicyReason,
  policyName,
  sequenceOf,
} from './bounds-policies.ts'
export { type PolicyBundle, readBundle, renameBundle } from './bundle/bundle.ts'
export { BundleError } from './bundle/bundle-error.ts'
export { entrypoint, type ModuleReason, PolicyModule } from './policy-module.ts'
