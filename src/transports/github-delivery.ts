// A delivery of GitHub's as it comes: JSON, or a form with the JSON in its field `payload`.
// https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers
import { invalid } from '../domain/errors.ts';
import type { RawRequest } from './transport.ts';

export type Payload = Record<string, unknown>;

export type GithubDelivery = {
  /** `X-GitHub-Event`, such as `issues`. */
  event: string;
  /** `X-GitHub-Delivery`; a redelivery has that of the first. Empty when the sender gave none. */
  id: string;
  payload: Payload;
  /** The payload's JSON text as it came, without white space around it. */
  text: string;
};

/** Real payloads have less than ten levels; whoever reads it later recurses. */
const DEPTH_MAX = 200;
const ID_LENGTH_MAX = 255;
const FORM = /^\s*application\/x-www-form-urlencoded\s*(;|$)/i;

/** @throws OrgError invalid when it is no delivery */
export function readDelivery({ headers, body }: RawRequest): GithubDelivery {
  const text = jsonText(body, FORM.test(single(headers['content-type'])));
  const payload = parse(text);
  const event = single(headers['x-github-event']);
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(event)) throw invalid('X-GitHub-Event is missing or names no event');
  const id = single(headers['x-github-delivery']);
  if (id.length > ID_LENGTH_MAX) throw invalid(`X-GitHub-Delivery is longer than ${ID_LENGTH_MAX} characters`);
  return { event, id, payload, text };
}

function jsonText(body: Uint8Array, isForm: boolean): string {
  const text = decode(body);
  if (!isForm) return text.trim();
  const payload = new URLSearchParams(text).get('payload');
  if (payload === null) throw invalid('parse json: the form has no field payload');
  return payload.trim();
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw invalid('parse json: the body is not UTF-8');
  }
}

function parse(text: string): Payload {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`parse json: ${error instanceof Error ? error.message : error}`);
  }
  if (!isObject(value)) throw invalid('parse json: the payload is not an object');
  if (isDeeper(value, DEPTH_MAX)) throw invalid(`parse json: nested deeper than ${DEPTH_MAX} levels`);
  return value;
}

/** Level by level, since a payload made for it would exhaust the stack. */
function isDeeper(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > most) return true;
    const next: unknown[] = [];
    for (const each of level) {
      if (typeof each !== 'object' || each === null) continue;
      for (const child of Object.values(each)) if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
  return false;
}

export const isObject = (value: unknown): value is Payload =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What lies at a path, whatever shape the payload has. */
export function valueAt(value: unknown, ...path: string[]): unknown {
  let found = value;
  for (const key of path) found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  return found;
}

/** The text at a path; empty when there is none. */
export function textAt(value: unknown, ...path: string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

/** The whole number at a path as text; empty when there is none. */
export function numberAt(value: unknown, ...path: string[]): string {
  const found = valueAt(value, ...path);
  return Number.isSafeInteger(found) ? String(found) : '';
}

/** The objects in the list at a path. */
export function listAt(value: unknown, ...path: string[]): Payload[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found.filter(isObject) : [];
}

const single = (value: string | string[] | undefined): string => (Array.isArray(value) ? '' : (value ?? ''));
