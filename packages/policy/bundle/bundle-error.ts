/** The bundle is not one, is too large, or says one thing and holds another. */
export class BundleError extends Error {
  readonly code: 'bundle-malformed' | 'bundle-too-large' | 'bundle-signature'
  readonly retriable = false
  constructor(code: BundleError['code'], message: string) {
    super(message)
    this.name = 'BundleError'
    this.code = code
  }
}
