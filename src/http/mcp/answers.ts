// What the endpoint answers, by method of the protocol. A new method is a line in one of the files that make these.
import type {
  CallToolRequestParams,
  CallToolResult,
  CompleteRequestParams,
  CompleteResult,
  GetPromptRequestParams,
  GetPromptResult,
  InputRequiredResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  ReadResourceRequestParams,
  ReadResourceResult,
  ServerContext,
} from '@modelcontextprotocol/server';
import type { Caller } from '../../tools/define-tool.ts';

/** Who asks, as the endpoint knows before the protocol looks at the request. */
export type McpRequest = {
  workerId: string;
  /** The method, where the body is one message. */
  method: string | undefined;
  /** `arguments` that are no object, by request id: the protocol would refuse them with an error of its own. */
  oddArguments: ReadonlyMap<string | number, unknown>;
  /** @param signal aborted when the client went away or cancelled this call */
  caller(id: string | number, signal: AbortSignal): { caller: Caller; done(): void };
};

/** A request and what the SDK knows of it: its id, signal, and how to tell the client something before the answer. */
export type Asker = McpRequest & { context: ServerContext };

export type Paged = { cursor?: string | undefined };

type Answer<Params, Result> = (params: Params, asker: Asker) => Result | Promise<Result>;

export type McpAnswers = {
  'tools/list': Answer<Paged, ListToolsResult>;
  'tools/call': Answer<CallToolRequestParams, CallToolResult | InputRequiredResult>;
  'prompts/list': Answer<Paged, ListPromptsResult>;
  'prompts/get': Answer<GetPromptRequestParams, GetPromptResult | InputRequiredResult>;
  'resources/list': Answer<Paged, ListResourcesResult>;
  'resources/templates/list': Answer<Paged, ListResourceTemplatesResult>;
  'resources/read': Answer<ReadResourceRequestParams, ReadResourceResult | InputRequiredResult>;
  'completion/complete': Answer<CompleteRequestParams, CompleteResult>;
};
