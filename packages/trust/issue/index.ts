export { certifyIntermediate, createIntermediate, createRoot } from './authority.ts'
export {
  certifiedKeyOf,
  type Issuer,
  type KeyedIssuer,
  keyedIssuer,
  loadIssuer,
  readCertificateFile,
  subjectKeyIdentifierOf,
} from './issuer.ts'
export { type Identity, issueCertificate, issueIdentity, type LeafProfile, thumbprintOf } from './leaf.ts'
export { issueRevocationList, type RevocationListProfile, type RevokedCertificate } from './revocation-list.ts'
