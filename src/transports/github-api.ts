// GitHub's REST API, as far as webhooks need it: https://docs.github.com/en/rest/repos/webhooks
import { conflict, forbidden, notFound, type OrgError } from '../domain/errors.ts';

export type GithubApi = {
  /** @param body sent as JSON @returns what was answered, and the page that follows. @throws OrgError with what to do */
  call<T>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<{ value: T; next?: string }>;
  /** All pages of a list. @param isEnough tells when to stop, by what was read so far */
  list<T>(path: string, isEnough?: (items: T[]) => boolean): Promise<T[]>;
};

export const GITHUB_API_URL = 'https://api.github.com';

const TIMEOUT_MS = 15_000;
const PAGES_MAX = 100;
const SET_TOKEN = `helix-org config set transport.github '{"token": "…", "webhook_secret": "..."}'`;

/** @param about the repository, for sentences */
export function createGithubApi(
  { token, apiUrl, timeoutMs = TIMEOUT_MS }: { token: string; apiUrl: string; timeoutMs?: number },
  about: string,
): GithubApi {
  const base = apiUrl.replace(/\/$/, '');
  const headers = {
    Accept: 'application/vnd.github+json',
    Authorization: `Bearer ${token}`,
    'Content-Type': 'application/json',
    'User-Agent': 'helix-org',
    'X-GitHub-Api-Version': '2022-11-28',
  };

  async function call<T>(method: string, path: string, body?: object): Promise<{ value: T; next?: string }> {
    // The next page is named by its whole URL; nobody but the API itself is sent the token.
    const url = path.startsWith(`${base}/`) ? path : `${base}${path}`;
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        ...(body ? { body: JSON.stringify(body) } : {}),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw conflict(`GitHub cannot be reached at ${base}: ${reasonOf(error, timeoutMs)}.`);
    }
    const text = await response.text();
    if (!response.ok) throw refusal(response, text, { method, path, about });
    const next = /<([^<>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
    return { value: parse<T>(text), ...(next?.startsWith(`${base}/`) ? { next } : {}) };
  }

  return {
    call,
    async list<T>(path: string, isEnough: (items: T[]) => boolean = () => false) {
      const items: T[] = [];
      let next: string | undefined = path;
      for (let page = 0; next !== undefined && page < PAGES_MAX; page++) {
        const answer: { value: T[]; next?: string } = await call('GET', next);
        if (!Array.isArray(answer.value))
          throw conflict(`GitHub at ${base} answered ${path} with something that is no list.`);
        items.push(...answer.value);
        next = isEnough(items) ? undefined : answer.next;
      }
      return items;
    },
  };
}

function parse<T>(text: string): T {
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw conflict('GitHub answered with something that is no JSON; is transport.github.api_url right?');
  }
}

type Asked = { method: string; path: string; about: string };

function refusal(response: Response, text: string, { method, path, about }: Asked): OrgError {
  const said = messageIn(text);
  const quoted = said && ` GitHub says: ${said}`;
  const scope = 'admin:repo_hook for a classic token, or Webhooks: read and write for a fine-grained one';
  switch (response.status) {
    case 401:
      return forbidden(
        `GitHub does not know the token in transport.github any more; set another: ${SET_TOKEN}.${quoted}`,
      );
    case 403:
    case 429:
      if (response.headers.get('x-ratelimit-remaining') === '0' || response.headers.has('retry-after'))
        return conflict(`GitHub takes no more requests from this token for now; try again later.${quoted}`);
      return forbidden(`The token may not manage the webhooks of ${about}; it needs ${scope}.${quoted}`);
    case 404:
      return notFound(
        `GitHub shows this token no webhooks of ${about}: the name is wrong, or the token lacks ${scope}.${quoted}`,
      );
    default:
      return conflict(`GitHub answered ${method} ${path.split('?')[0]} with ${response.status}.${quoted}`);
  }
}

/** GitHub's own sentence, with the details it gives. */
function messageIn(text: string): string {
  try {
    const { message = '', errors = [] } = JSON.parse(text) as { message?: string; errors?: { message?: string }[] };
    const details = errors.flatMap((error) => error?.message ?? []);
    return [message, ...details].join(': ').slice(0, 300);
  } catch {
    return '';
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  const { cause, name, message } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `no answer within ${timeoutMs / 1_000} s`;
  return cause?.code ?? cause?.message ?? message;
}
