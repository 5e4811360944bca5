import {
  type CallToolResult,
  ProtocolError,
  ProtocolErrorCode,
  type Tool as ToolView,
} from '@modelcontextprotocol/server';
import type { ToolDoor, ToolOutcome } from '../../tools/call-tool.ts';
import type { Effect, Progress, Tool } from '../../tools/define-tool.ts';
import { isTelling, outputSchema } from '../../tools/tool-schema.ts';
import type { Asker, McpAnswers } from './answers.ts';
import { pageAfter } from './cursor.ts';

export function toolAnswers(door: ToolDoor): Pick<McpAnswers, 'tools/list' | 'tools/call'> {
  return {
    'tools/list'({ cursor }, { workerId }) {
      const { page, ...next } = pageAfter(door.granted(workerId), ({ name }) => name, cursor);
      return { tools: page.map((tool) => toolView(tool, door)), ...next };
    },
    async 'tools/call'(params, { caller: callerOf, oddArguments, context }) {
      const { id, signal } = context.mcpReq;
      const { caller, done } = callerOf(id, signal);
      try {
        const args = oddArguments.has(id) ? oddArguments.get(id) : params.arguments;
        return toCallResult(params.name, await door.call({ ...caller, ...progressOf(context) }, params.name, args));
      } finally {
        done();
      }
    },
  };
}

/** @throws ProtocolError −32602 for a name that is in no catalog */
export function toCallResult(name: string, outcome: ToolOutcome): CallToolResult {
  switch (outcome.kind) {
    case 'ok':
      // Clients show a model one or the other, so both say the same.
      return {
        content: [{ type: 'text', text: JSON.stringify(outcome.result) }],
        structuredContent: outcome.result,
      };
    case 'refused':
      return { content: [{ type: 'text', text: outcome.message }], isError: true };
    case 'unknown':
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `unknown tool ${JSON.stringify(name.slice(0, 100))}`);
  }
}

const views = new WeakMap<Tool, ToolView>();

/** A tool as clients see it; made once. */
export function toolView(tool: Tool, door: Pick<ToolDoor, 'inputSchema'>): ToolView {
  const view = views.get(tool) ?? toView(tool, door);
  views.set(tool, view);
  return view;
}

const texts = new WeakMap<Tool, string>();

/** The same as JSON; made once. */
export function toolJson(tool: Tool, door: Pick<ToolDoor, 'inputSchema'>): string {
  const text = texts.get(tool) ?? JSON.stringify(toolView(tool, door));
  texts.set(tool, text);
  return text;
}

function toView(tool: Tool, door: Pick<ToolDoor, 'inputSchema'>): ToolView {
  const { name, title, description, effect } = tool;
  const output = outputSchema(tool);
  return {
    name,
    title,
    description,
    inputSchema: door.inputSchema(tool),
    ...(output && isTelling(output) ? { outputSchema: output } : {}),
    annotations: hints(effect),
  };
}

/**
 * Tools reach the org alone (what leaves it, a Stream's transport sends), so none is open-world. What changes, overwrites.
 * What a client takes for granted is left out: a tool that says nothing is no reader, and destructive.
 */
function hints(effect: Effect) {
  switch (effect) {
    case 'reads':
      return { readOnlyHint: true, openWorldHint: false };
    case 'adds':
      return { destructiveHint: false, openWorldHint: false };
    case 'changes':
      return { destructiveHint: true, openWorldHint: false };
  }
}

/** Reports reach the client only when it asked for them. */
function progressOf({ mcpReq }: Asker['context']): { onProgress?(progress: Progress): void } {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return {};
  return {
    onProgress: (progress) => {
      // A client that is gone ends the call by its signal.
      mcpReq.notify({ method: 'notifications/progress', params: { progressToken, ...progress } }).catch(() => {});
    },
  };
}
