import { readFileSync } from 'node:fs'
import { type Context, Hono } from 'hono'
import type { Parts } from '../parts.ts'
import { codePage, grantPage } from './grant-page.ts'
import { answerPage, setPageHeaders } from './layout.ts'
import { passkeyPage } from './passkey-page.ts'

const assets = [
  ['page.css', 'text/css; charset=utf-8'],
  ['sign-grant.mjs', 'text/javascript; charset=utf-8'],
  ['register-passkey.mjs', 'text/javascript; charset=utf-8'],
] as const

/** What a browser is answered where a program gets JSON: the same address, by `accept` (RFC 9110 §12.5.1). */
export function grantPages(parts: Parts): Hono {
  const app = new Hono()
  app.get('/grants', (context) => {
    // As it was typed: in small letters, with a hyphen or a space in it.
    const code = context.req
      .query('user_code')
      ?.replace(/[^A-Za-z]/g, '')
      .toUpperCase()
      .slice(0, 20)
    return code ? context.redirect(`grants/${code}`, 303) : answerPage(context, codePage('', false))
  })
  app.get('/grants/:code', (context, next) => {
    if (!wantsPage(context)) return next()
    const { requests, tables, anchors, now } = parts
    const pending = requests.asked(context.req.param('code'), now())
    if (!pending) return answerPage(context, codePage('../', true), 404)
    return answerPage(context, grantPage({ pending, agents: tables.agents, rpId: anchors.webauthn.rpId }))
  })
  app.get('/passkeys/new', (context) => answerPage(context, passkeyPage(parts.anchors.webauthn.rpId)))
  for (const [name, type] of assets) {
    const body = readFileSync(new URL(name, import.meta.url), 'utf8')
    app.get(`/pages/${name}`, (context) => {
      setPageHeaders(context)
      return context.body(body, 200, { 'content-type': type })
    })
  }
  return app
}

const wantsPage = ({ req }: Context) => /(^|[\s,])text\/html\s*(;|,|$)/.test(req.header('accept') ?? '')
