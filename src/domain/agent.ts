// The contract between an activation and the program that plays the Worker.

/** One line of a transcript: what a reader sees, and the structured original where there is more. */
export type Segment = { body: string; extra?: unknown };

/** What one activation hands to the agent. */
export type AgentRun = {
  activationId: string;
  workerId: string;
  /** 1 the first time these triggers are shown. */
  attempt: number;
  /** The Worker's folder: working directory of the process. It exists. */
  folder: string;
  /** Goes over stdin, never argv. */
  prompt: string;
  mcp: { url: string; token: string };
  /** Further variables for this Worker. */
  environment: Record<string, string>;
  limits: { firstOutputMs: number; runMs: number };
  /** The process runs. `startedAt` is the OS start time: with the pid it identifies the process. */
  onStart(process: { pid: number; startedAt: string }): void;
  /** One transcript line, in order. */
  onSegment(segment: Segment): void;
  /** Aborted to stop the run; everything it started is gone within 5 s. */
  signal: AbortSignal;
};

export type AgentResult = {
  outcome: 'done' | 'failed' | 'timed_out' | 'interrupted';
  /** What goes into `=== exit: … ===`. */
  exit: string;
  /** The agent as such is broken (missing, not logged in …), so this counts as no attempt. */
  agentFault?: boolean;
  usage?: { costUsd?: number; inputTokens?: number; outputTokens?: number };
};

/** Runs the program; resolves only when every process of the run is gone. Never rejects for what the program did. */
export type RunAgent = (run: AgentRun) => Promise<AgentResult>;

export type AgentCheck = { ok: true; version?: string } | { ok: false; problem: string; fix: string };

/** One kind of agent. */
export type Agent = { kind: string; check(): Promise<AgentCheck>; run: RunAgent };
