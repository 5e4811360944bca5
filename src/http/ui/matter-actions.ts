// What can be done about something that waits for a person.
import type { Moment } from './shown.ts';

/** A button that runs a tool, or a link. `ask` is what is said before what cannot be taken back. */
export type Action =
  | { label: string; href: string }
  | { label: string; tool: string; fields: [name: string, value: string][]; look: string; ask: string };

export type MatterRow = {
  id: string;
  at: Moment | undefined;
  /** What kind of thing it is, in a word or two. */
  tag: string;
  tone: 'bad' | 'warm' | 'waiting';
  title: string;
  href: string;
  sentence: string;
  /** The sentence as HTML, with what is to be typed marked. */
  why: string;
  excerpt: string;
  /** Whom and what it concerns. */
  about: { text: string; href: string }[];
  actions: Action[];
};

/** What must be said of each; the rest has its defaults. */
export type Row = Partial<MatterRow> & Pick<MatterRow, 'id' | 'tag' | 'tone' | 'title' | 'sentence'>;

export const run = (label: string, tool: string, fields: [string, string][], ask: string): Action => ({
  label,
  tool,
  fields,
  look: tool === 'pause_worker' ? 'quiet-button' : 'warm-button',
  ask,
});

export const discard = (fields: [string, string][]): Action => ({
  label: 'Discard',
  tool: 'discard',
  fields,
  look: 'alarm-button',
  ask: 'It wakes nobody any more, and what has not left does not leave. It stays in the history.',
});

/** Reasons come as parts of sentences. */
export const sentenceOf = (text: string): string => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);
