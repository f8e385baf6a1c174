import type { Context } from 'hono'
import { html } from 'hono/html'

type Html = ReturnType<typeof html>

/** `toRoot` leads from the page's address to the issuer's, which may itself have a path. */
export type Page = {
  readonly title: string
  readonly toRoot: '' | '../'
  readonly script?: 'sign-grant.mjs' | 'register-passkey.mjs'
  readonly main: Html
}

/**
 * Nothing runs, is loaded or sent but what is ours, and nobody frames it: a signature under a page of somebody else's making would be a human's yes to
 * what they did not see (CSP L3 §6.1, §6.4.2).
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const headers = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self)',
  // The address has the user code in it.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  vary: 'accept',
}

export function setPageHeaders(context: Context): void {
  for (const [name, value] of Object.entries(headers)) context.header(name, value)
}

export function answerPage(context: Context, page: Page, status: 200 | 404 = 200): Response | Promise<Response> {
  setPageHeaders(context)
  return context.html(documentOf(page), status)
}

const documentOf = ({ title, toRoot, script, main }: Page): Html => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · Interlock</title>
    <link rel="stylesheet" href="${toRoot}pages/page.css">
    ${script ? html`<script type="module" src="${toRoot}pages/${script}"></script>` : ''}
  </head>
  <body>
    <header><p>Interlock</p></header>
    ${main}
  </body>
</html>`
