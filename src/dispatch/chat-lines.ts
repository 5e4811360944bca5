// A conversation as lines: what people read in `body`, and the whole in `extra`, in the shape that transcripts have.
import type { ChatProblem } from '../domain/chat-agent.ts';

export type ChatLine = { body: string; extra: object };

/** How an answer ended. `cut off` is what a restart of the daemon does to it. */
export type TurnEnd = {
  state: 'done' | 'stopped' | 'failed' | 'cut off';
  problem?: ChatProblem;
  model?: string;
  costUsd?: number;
  /** Milliseconds from the message to the end. */
  ms?: number;
};

const BODY_MAX = 500;

const brief = (text: string): string => {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length > BODY_MAX ? `${flat.slice(0, BODY_MAX - 1).toWellFormed()}…` : flat;
};

/** @param sent what the agent was told, when that is not what was typed */
export const youLine = (text: string, sent: string): ChatLine => ({
  body: `you: ${brief(text)}`,
  extra: { you: { text, ...(sent === text ? {} : { sent }) } },
});

export const saidLine = (text: string): ChatLine => ({ body: `assistant: ${brief(text)}`, extra: { text } });

export const remarkLine = (text: string): ChatLine => ({ body: brief(text), extra: { remark: text } });

export const callLine = (id: string, name: string, input: unknown): ChatLine => ({
  body: `tool_use ${name}: ${brief(JSON.stringify(input ?? {}))}`,
  extra: { tool_use: { id, name, input } },
});

export const resultLine = (id: string, isError: boolean, content: unknown): ChatLine => ({
  body: `tool_result${isError ? '-error' : ''}: ${brief(typeof content === 'string' ? content : (JSON.stringify(content) ?? ''))}`,
  extra: { tool_result: { id, isError, content } },
});

export const endLine = (end: TurnEnd): ChatLine => ({
  body: `=== ${end.state}${end.problem ? `: ${brief(end.problem.sentence)}` : ''} ===`,
  extra: { end },
});
