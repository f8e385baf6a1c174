import { constants } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import type { Server, ServerOptions } from 'node:https'
import { assertPrivate } from '@interlock/trust'

/** Files of the server's own certificate, PEM: for the clients' sake, and no signer's. */
export type ServerCertificate = { readonly key: string; readonly certificate: string }

/** How often the files are looked at, milliseconds. */
const interval = 2000

/**
 * How a listener asks its clients for their SVIDs. Node's own verdict on them is not used (`rejectUnauthorized`): it knows no SPIFFE ID, would take what
 * our rules for paths refuse, and would end the connection without a word. Who shows none, or one that does not count, is told invalid_client. Our roots are
 * not given to it (`ca`): of a chain that it could verify this Node shows the first certificate alone (nodejs/node 65579), and we verify all of it.
 * Sessions are not resumed: of one that is this Node shows the first certificate alone, and each connection is to prove its key.
 * @throws Error, SigningKeyError where others than the owner may read the key
 */
export function mutualTlsOptions(files: ServerCertificate): ServerOptions {
  return {
    ...readServerCertificate(files),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    // Tickets that hold a session give way to such as name one in a cache (OpenSSL), and Node's has none.
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: 10_000,
  }
}

function readServerCertificate({ key, certificate }: ServerCertificate): { readonly key: Buffer; readonly cert: Buffer } {
  assertPrivate(key)
  return { key: readFileSync(key), cert: readFileSync(certificate) }
}

/** Server certificates are short-lived: takes over the next when the files were replaced, without a restart. Returns what ends it. */
export function watchServerCertificate(
  files: ServerCertificate,
  server: Pick<Server, 'setSecureContext'>,
  refused: (error: unknown) => void,
): () => void {
  const look = () => {
    try {
      // A key that is not the certificate's throws, and the context before stays.
      server.setSecureContext(mutualTlsOptions(files))
    } catch (error) {
      refused(error)
    }
  }
  const watched = [files.key, files.certificate]
  for (const file of watched) watchFile(file, { interval, persistent: false }, look)
  return () => {
    for (const file of watched) unwatchFile(file, look)
  }
}
