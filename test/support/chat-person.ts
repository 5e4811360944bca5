import { expect, onTestFinished } from 'vitest';
import { type SpawnedDaemon, type TestDaemon, waitFor } from './daemon.ts';

/** Somebody who chats on the page, without a browser. */
export function person(daemon: { url: string; tokens: Pick<TestDaemon['tokens'], 'create'> }, workerId = 'w-owner') {
  const { token } = daemon.tokens.create({ workerId, kind: 'session', label: 'test' });
  const headers = { cookie: `helix_session=${token}` };
  const get = async (path: string, more = {}) => {
    const response = await fetch(daemon.url + path, { headers: { ...headers, ...more } });
    return { status: response.status, html: await response.text() };
  };
  const csrf = async () => /name="csrf" value="([^"]+)"/.exec((await get('/ui/')).html)?.[1] ?? '';
  const post = async (path: string, fields: Record<string, string>, more: Record<string, string> = {}) => {
    const body = new URLSearchParams({ csrf: await csrf(), ...fields });
    return fetch(daemon.url + path, {
      method: 'POST',
      body,
      redirect: 'manual',
      headers: { ...headers, origin: daemon.url, ...more },
    });
  };
  const log = async () => (await get('/ui/chat/log', { 'hx-request': 'true' })).html;
  return {
    get,
    post,
    log,
    /** Says something and waits for the end of the answer. @returns the log */
    async say(text: string): Promise<string> {
      expect((await post('/ui/chat/send', { text })).status).toBe(303);
      await waitFor(
        'the answer has ended',
        async () => !/data-state="(running|stopping)"/.test((await get('/ui/')).html),
      );
      return log();
    },
    start: (text: string) => post('/ui/chat/send', { text }),
    until: (what: string) => waitFor(`the log shows ${what}`, async () => (await log()).includes(what)),
    /** The live connection; what came on it so far. */
    async live() {
      const stop = new AbortController();
      onTestFinished(() => stop.abort());
      const response = await fetch(`${daemon.url}/ui/live?topics=chat:${workerId}`, { headers, signal: stop.signal });
      const seen = { text: '', ended: false };
      void (async () => {
        for await (const chunk of response.body!) seen.text += Buffer.from(chunk).toString();
      })().then(
        () => (seen.ended = true),
        () => (seen.ended = true),
      );
      return seen;
    },
  };
}

/** A person on the pages of a daemon that is a process of its own, by a sign-in link; `token` is of their session. */
export async function signedIn(daemon: SpawnedDaemon) {
  const { url } = (await daemon.control('token.login', { worker: 'w-owner' })) as { url: string };
  const body = new URLSearchParams({ code: new URL(url).searchParams.get('code') ?? '' });
  const headers = { origin: daemon.url };
  const response = await fetch(`${daemon.url}/login`, { method: 'POST', body, redirect: 'manual', headers });
  const token = /^helix_session=([^;]+)/.exec(response.headers.get('set-cookie') ?? '')?.[1] ?? '';
  return { token, ...withSession(daemon.url, token) };
}

/** A person whose session there is already, such as of a daemon that was started anew. */
export const withSession = (url: string, token: string) =>
  person({ url, tokens: { create: () => ({ id: '', token, expiresAt: null }) } });
