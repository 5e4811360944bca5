import type { z } from 'zod';
import type { Cause, Via } from '../domain/entry.ts';
import type { Message } from '../domain/message.ts';
import type { Command } from '../domain/org.ts';
import type { StreamBatch, StreamTransport } from '../domain/stream.ts';
import type { Committed, Journal } from '../store/journal.ts';
import type { Queries } from '../store/queries.ts';
import type { Settings } from '../store/settings.ts';
import type { Waits } from './waits.ts';

/** Who calls a tool, through which door, and where in a causal chain. */
export type Caller = {
  workerId: string;
  via: Via;
  /** The Worker the credential's holder acts for: the owner acting as another Worker. */
  onBehalfOf?: string;
  /** Of the activation whose token was used. */
  cause?: Cause;
  /** Aborted when the caller went away or cancelled. */
  signal?: AbortSignal;
  /** Set when the caller asked to be told how a long call is getting on. */
  onProgress?(progress: Progress): void;
};

/** How far a call is. `progress` grows with each report; `total` is what it ends at, where that is known. */
export type Progress = { progress: number; total?: number; message: string };

/** What is known of a transport without knowing the transport: how to check its config, and whether it can be published to. */
export type TransportInfo = {
  kind: string;
  /** @throws OrgError invalid */
  checkConfig(config: Record<string, unknown>): Record<string, unknown>;
  /** What no other Stream of the kind may share, such as a mail alias. */
  addressOf?(config: Record<string, unknown>): string;
  /** Whether a Stream of this config has a secret of the daemon's making. */
  signs(config: Record<string, unknown>): boolean;
  /** Whether a Message leaves a Stream of this config; for kinds that send. */
  way?(message: Message, config: Record<string, unknown>): { lane: string } | { stays: string } | undefined;
  /** How Events of such a Stream are shown unless the Stream says otherwise. */
  batch?: StreamBatch;
  /** Set for transports that only receive: why `publish` is refused. */
  inboundOnly?: string;
  /** What a person needs in order to send to this Stream, such as its URL. */
  describeInbound?(streamId: string, transport: StreamTransport): Record<string, string>;
  /** When Events come by themselves to this Stream. */
  describeTimes?(transport: StreamTransport): Record<string, string>;
};

/** What tools ask of the running daemon besides the journal. */
export type Lifecycle = {
  /** Absolute path of a Worker's folder. */
  folderOf(workerId: string): string;
  /** Stops the run a Worker is in, for good. Resolves when it is gone; false when none was under way. */
  interrupt(workerId: string): Promise<boolean>;
  /** Whether a delivery to the outside is under way in this moment. */
  isDelivering(deliveryId: string): boolean;
  /** After a firing: ends the Worker's tokens, waits for its run to be gone, and archives its folder. */
  dismiss(workerId: string): Promise<void>;
};

export type ToolDeps = {
  journal: Journal;
  queries: Queries;
  settings: Settings;
  waits: Waits;
  transports: ReadonlyMap<string, TransportInfo>;
  /** Makes the Worker's folder, or brings the texts in it up to date. @returns its absolute path */
  prepareFolder(workerId: string): string;
  /** Random part of a new id. */
  newId(): string;
  /** A new signing secret for a Stream. */
  makeSecret(): string;
  lifecycle: Lifecycle;
  /** What a Worker is doing now. */
  stateOf(workerId: string): string;
  now(): Date;
};

export type ToolContext = ToolDeps & {
  caller: Caller;
  /** Names of all tools. */
  toolNames: ReadonlySet<string>;
  /** Commits a command as the caller. @throws OrgError */
  change(command: Command): Promise<Committed>;
};

/** What a tool does to the org; MCP annotations come from it. */
export type Effect = 'reads' | 'adds' | 'changes';

/** What a tool answers with: a JSON object. */
export type Result = z.ZodType<Record<string, unknown>>;

export type Tool<Input extends z.ZodType = z.ZodType, Output extends Result = Result> = {
  /** snake_case; the file is named for it in kebab-case. */
  name: string;
  title: string;
  /** One to three sentences: what it does, then when to prefer another tool. */
  description: string;
  input: Input;
  /** The shape of the result. Clients hold results against it, so a result never lacks or adds a field. */
  output?: Output;
  effect: Effect;
  /** Returns a small object, or throws an OrgError that says what to do. */
  handler(args: z.output<Input>, context: ToolContext): Promise<z.output<Output>>;
};

/** Gives the handler its types; nothing else. */
export const defineTool = <Input extends z.ZodType, Output extends Result>(
  tool: Tool<Input, Output>,
): Tool<Input, Output> => tool;
