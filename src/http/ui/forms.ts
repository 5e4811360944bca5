// Forms: every one is a POST of this session's own page, runs as the signed-in Worker, and leads on to a page.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalid } from '../../domain/errors.ts';
import type { ToolDoor } from '../../tools/call-tool.ts';
import { toCaller } from '../auth.ts';
import { isOwnOrigin } from '../host-guard.ts';
import { Refusal } from '../refusal.ts';
import type { Flash } from './flash.ts';
import { sentenceOf } from './tool-sentences.ts';
import type { Visit } from './visit.ts';

/** What was typed: line ends as `\n`, whatever the browser made of them. */
export type Fields = {
  /** The first value of a field; empty when there is none. */
  get(name: string): string;
  getAll(name: string): string[];
  names(): string[];
};

/** Where a form leads, and what it says there. */
export type Outcome = { to: string; flash?: Flash };

const FORM_BYTES_MAX = 2_097_152;
/** Fields of every form, which are no arguments of a tool. */
const OWN_FIELDS = new Set(['csrf', 'back', 'then', 'form']);

/** Lets routes of this scope take forms; each names {@link refuseForeign} as well. */
export function acceptForms(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
}

/** For `onRequest` of every route that takes a form. @throws Refusal 403 for a form that another page sent */
export async function refuseForeign(request: FastifyRequest): Promise<void> {
  if (!isOwnOrigin(request)) throw foreignForm();
}

/** Whether the page that sent a form came over TLS, so that cookies may be for TLS alone: as the browser says, or a proxy. */
export const isOverTls = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  headers.origin?.startsWith('https:') === true || headers['x-forwarded-proto'] === 'https';

export const foreignForm = (): Refusal =>
  new Refusal(403, 'This form was not sent by a page of this daemon; open the page again and retry.');

export function fieldsOf(body: unknown): Fields {
  const form = body instanceof URLSearchParams ? body : new URLSearchParams();
  const clean = (text: string) => text.replace(/\r\n?/g, '\n');
  return {
    get: (name) => clean(form.get(name) ?? ''),
    getAll: (name) => form.getAll(name).map(clean),
    names: () => [...new Set(form.keys())],
  };
}

/** Texts of a form that was not taken, for its person to copy: without what pages put there themselves, ids and single words. */
export function writtenIn(body: unknown): string[] {
  const fields = fieldsOf(body);
  const texts = fields.names().flatMap((name) => (OWN_FIELDS.has(name) ? [] : fields.getAll(name)));
  return texts.filter((text) => /\s/.test(text.trim()));
}

/** A path below /ui that a form asked to be led to; nothing else is followed. */
export function pathBack(path: string, fallback = '/ui/org'): string {
  return /^\/ui(\/[\w./%~+-]*)?(\?[\w.~%&=+,*:-]*)?(#[\w-]*)?$/.test(path) && !path.includes('..') ? path : fallback;
}

/**
 * Arguments of a tool from a form's fields: `name[]` is a list, empty fields are left out; `agent.kind` is a member of `agent`,
 * also when it is empty.
 * Text stays text: what a tool takes as number or boolean it reads from it.
 */
export function toArguments(fields: Fields): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  for (const name of fields.names()) {
    if (OWN_FIELDS.has(name)) continue;
    if (name.endsWith('[]')) args[name.slice(0, -2)] = fields.getAll(name).filter((value) => value !== '');
    else if (name.includes('.')) putMember(args, name, fields.get(name));
    else if (fields.get(name) !== '') args[name] = fields.get(name);
  }
  return args;
}

function putMember(args: Record<string, unknown>, name: string, value: string): void {
  const [object = '', ...member] = name.split('.');
  args[object] = { ...(args[object] as object | undefined), [member.join('.')]: value };
}

/** Runs a tool as the visitor. @throws OrgError invalid for a name that is no tool */
export async function callAs(door: ToolDoor, visit: Visit, tool: string, args: Record<string, unknown>) {
  const outcome = await door.call(toCaller(visit.credential, 'ui', new AbortController().signal), tool, args);
  if (outcome.kind === 'unknown') throw invalid(`There is no tool ${tool.slice(0, 60)}.`);
  return outcome;
}

/**
 * `POST /ui/do/:tool`. `back` is where it leads, `then` where it leads when all went well (`{id}` in it is the result's id),
 * `form` names the form whose text is kept when it is refused.
 */
export async function runTool(door: ToolDoor, visit: Visit, fields: Fields): Promise<Outcome> {
  const back = pathBack(fields.get('back'));
  const tool = visit.param('tool');
  const args = toArguments(fields);
  const outcome = await callAs(door, visit, tool, args);
  if (outcome.kind === 'refused') return { to: back, flash: refusedFlash(outcome.message, fields) };
  const id = typeof outcome.result.id === 'string' ? outcome.result.id : '';
  const then = fields.get('then').replaceAll('{id}', encodeURIComponent(id));
  return { to: pathBack(then, back), flash: { kind: 'done', text: sentenceOf(tool, args, outcome.result) } };
}

/** A refusal that keeps what was typed. */
export function refusedFlash(text: string, fields: Fields): Flash {
  const form = fields.get('form');
  if (form === '') return { kind: 'refused', text };
  const typed = fields.names().filter((name) => !OWN_FIELDS.has(name));
  return {
    kind: 'refused',
    text,
    draft: { form, fields: Object.fromEntries(typed.map((name) => [name, fields.get(name)])) },
  };
}
