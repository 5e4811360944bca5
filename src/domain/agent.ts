// What every agent kind implements: an agent is the program that plays an AI Worker during an activation.
import type { Usage } from './activation.ts';

/** One line of a transcript: what people read, and beside it what a program would want (JSON of at most 16 KiB). */
export type Segment = { body: string; extra?: unknown };

/** Names one process for good; a pid alone is given again. `startedAt` is opaque: what the OS says about its start. */
export type ProcessIdentity = { pid: number; startedAt: string };

/** Everything that one activation hands to the program that plays the Worker. */
export type AgentRun = {
  activationId: string;
  workerId: string;
  attempt: number;
  /** The Worker's folder: it exists and becomes the working directory. */
  folder: string;
  /** Goes over stdin, never into the arguments, which every user of the machine can read. */
  prompt: string;
  mcp: { url: string; token: string };
  /** Further variables for this Worker, such as GH_TOKEN. They may replace what the daemon passes on, but no HELIX_ variable. */
  environment: Record<string, string>;
  /** Milliseconds from the start to the first output, and to the end. */
  limits: { firstOutputMs: number; runMs: number };
  /** Called once, before any segment, when the process has started. */
  onStart(root: ProcessIdentity): void;
  /**
   * Takes one line of the transcript; called in order, never after `run` has settled. Returns false when the transcript
   * is full: no further line comes then, and the output is read and thrown away, so that the program does not block on it.
   */
  onSegment(segment: Segment): boolean;
  /** Aborted to stop the run. A reason that is a string other than `interrupted` (`shutdown`) is named in `exit`. */
  signal: AbortSignal;
};

/** How an activation ended for the agent; what follows from it is the dispatcher's to decide. */
export type AgentResult = {
  /** Follows our intent first: a program that we stopped is `timed_out` or `interrupted`, whatever its exit code. */
  outcome: 'done' | 'failed' | 'timed_out' | 'interrupted';
  /** What stands in `=== exit: … ===`: `ok`, `exit code 3`, `signal SIGKILL`, `no output for 60 s`, `interrupted` … */
  exit: string;
  /** True when the agent as such is broken (missing, not executable, no login): the run says nothing about its triggers. */
  agentFault?: boolean;
  /** Bytes of output that came after the transcript was full; absent when there were none. */
  droppedBytes?: number;
  /** Where the agent reports it. */
  usage?: Usage;
};

/** Whether an agent could run now; if not, what is wrong and what to do, each one sentence. */
export type AgentCheck = { ok: true; version?: string } | { ok: false; problem: string; fix: string };

export type RunAgent = (run: AgentRun) => Promise<AgentResult>;

export type Agent = {
  kind: string;
  check(): Promise<AgentCheck>;
  /**
   * Plays the Worker once. Resolves only when every process of the activation is gone, also after a normal exit; what
   * cannot be ended is named in the transcript and waited for. Rejects only for bugs, and then too nothing is left running.
   */
  run: RunAgent;
};
