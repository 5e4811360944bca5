import { expect, onTestFinished } from 'vitest';
import { type TestDaemon, waitFor } from './daemon.ts';

/** Somebody who chats on the page, without a browser. */
export function person(daemon: Pick<TestDaemon, 'tokens' | 'url'>, workerId = 'w-owner') {
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
