// How Codex is logged in for a run: a key by environment, or the login of a ChatGPT account as the file that it reads.
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** Holds the whole of an auth.json; it goes into a file, never into an environment. */
export const AUTH_VARIABLE = 'CODEX_AUTH_JSON';
/** Where another service than OpenAI's is. */
export const BASE_URL_VARIABLE = 'OPENAI_BASE_URL';
const AUTH_BYTES_MAX = 64_000;

/** What logs Codex in, each by itself. */
export const isLoggedIn = (login: Record<string, string>): boolean =>
  [login.CODEX_API_KEY, login.OPENAI_API_KEY, login.CODEX_ACCESS_TOKEN, login[AUTH_VARIABLE]].some(Boolean);

/** Of a login, what goes into the environment of the run. */
export function loginEnvironment(login: Record<string, string>): Record<string, string> {
  const key = login.CODEX_API_KEY || login.OPENAI_API_KEY;
  if (key) return { CODEX_API_KEY: key };
  return login.CODEX_ACCESS_TOKEN ? { CODEX_ACCESS_TOKEN: login.CODEX_ACCESS_TOKEN } : {};
}

type Auth = { tokens?: { account_id?: string; refresh_token?: string } };

/**
 * The auth.json of a run; undefined where a key logs it in. A run with a shell gets the login of the day without what
 * renews it, since whoever holds that holds the account.
 */
export function authFile(login: Record<string, string>, hasShell: boolean): string | undefined {
  const whole = login[AUTH_VARIABLE];
  if (!whole || Object.keys(loginEnvironment(login)).length > 0) return undefined;
  const auth = parsed(whole);
  if (!hasShell || !auth?.tokens) return whole;
  return JSON.stringify({ ...auth, tokens: { ...auth.tokens, refresh_token: '' } });
}

/** The login as Codex has renewed it during a run; undefined when it has not, or when it is another account's. */
export async function renewedAuth(directory: string, given: string): Promise<string | undefined> {
  const file = await open(join(directory, 'auth.json'), constants.O_RDONLY | constants.O_NOFOLLOW).catch(
    () => undefined,
  );
  if (!file) return undefined;
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > AUTH_BYTES_MAX) return undefined;
    const text = await file.readFile('utf8');
    const account = parsed(text)?.tokens?.account_id;
    const isSame = account !== undefined && account === parsed(given)?.tokens?.account_id;
    return text !== given && isSame && parsed(text)?.tokens?.refresh_token ? text : undefined;
  } finally {
    await file.close();
  }
}

function parsed(text: string): Auth | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? (value as Auth) : undefined;
  } catch {
    return undefined;
  }
}
