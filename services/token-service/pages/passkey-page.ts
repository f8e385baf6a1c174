import { html } from 'hono/html'
import type { Page } from './layout.ts'

/** Where a human whom an operator invited makes a passkey. It registers nothing: what is made goes to the operator. */
export const passkeyPage = (rpId: string): Page => ({
  title: 'Make a passkey',
  toRoot: '../',
  script: 'register-passkey.mjs',
  main: html`<main id="passkey" data-rp-id="${rpId}">
    <h1>Make a passkey</h1>
    <p id="invited">This page needs the whole address that your operator gave you.</p>
    <div class="answers"><button id="make" class="allow" hidden>Make a passkey</button></div>
    <p id="outcome" role="status" tabindex="-1"></p>
    <div id="made" hidden>
      <label for="registration">Send this to your operator. It is no secret.</label>
      <textarea id="registration" readonly rows="8" spellcheck="false"></textarea>
    </div>
    <noscript><p role="alert" class="no">Your browser must run this page’s script to make a passkey.</p></noscript>
  </main>`,
})
