// Text as it is being written: what takes long is shown in pieces, so that whoever follows the run sees it grow, and the
// message that brings the whole adds only the rest.
import type { ClaudeMessage } from './claude-message.ts';

/** A text that comes faster is one line of the transcript. */
const SHOWN_AFTER_MS = 1_500;

type Growing = { messageId: string; kind: 'text' | 'thinking'; text: string; shown: number; at: number };

/** @param now milliseconds, steadily growing */
export function createPartialText(now: () => number) {
  /** The block that grows now, of the main conversation and of each sub-agent. */
  const growing = new Map<string, Growing>();

  function begin(key: string, { event }: ClaudeMessage): void {
    const before = growing.get(key);
    if (event?.type === 'message_start')
      growing.set(key, { messageId: event.message?.id ?? '', kind: 'text', text: '', shown: 0, at: now() });
    else if (event?.type === 'content_block_start' && before)
      growing.set(key, {
        ...before,
        kind: event.content_block?.type === 'thinking' ? 'thinking' : 'text',
        text: '',
        shown: 0,
        at: now(),
      });
  }

  return {
    /** Takes a stream_event. Gives the next piece when it is time to show one, up to the last end of a line or sentence. */
    grow(message: ClaudeMessage): { kind: 'text' | 'thinking'; piece: string } | undefined {
      const key = message.parent_tool_use_id ?? '';
      begin(key, message);
      const block = growing.get(key);
      const delta = message.event?.delta;
      if (!block || message.event?.type !== 'content_block_delta') return undefined;
      block.text += delta?.text ?? delta?.thinking ?? '';
      if (now() - block.at < SHOWN_AFTER_MS) return undefined;
      const piece = block.text.slice(block.shown).match(/^[\s\S]*(?:\n|[.!?…]\s)/)?.[0];
      if (!piece) return undefined;
      block.shown += piece.length;
      block.at = now();
      return { kind: block.kind, piece };
    },
    /** What of a whole text was not shown yet. */
    rest(message: ClaudeMessage, kind: 'text' | 'thinking', whole: string): string {
      const block = growing.get(message.parent_tool_use_id ?? '');
      const isSame = block?.messageId === message.message?.id && block?.kind === kind && whole.startsWith(block.text);
      return isSame ? whole.slice(block.shown) : whole;
    },
  };
}
