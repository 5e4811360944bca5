// What every agent kind implements: an agent is the program that plays an AI Worker during an activation.
import type { Usage } from './activation.ts';
import type { WorkerAgent } from './worker-agent.ts';

/** One line of a transcript: what people read, and beside it what a program would want (JSON of at most 16 KiB). */
export type Segment = { body: string; extra?: unknown };

/** Names one process for good; a pid alone is given again. `startedAt` is opaque: what the OS says about its start. */
export type ProcessIdentity = { pid: number; startedAt: string };

/** Where a run's program is put: behind a sandbox's own command, and under another user of the system. */
export type Confinement = {
  /** Stands before the program and its arguments; `{folder}`, `{worker}` and `{home}` in it name the run's. */
  wrap: string[];
  /** A user's name, in which `{worker}` names the Worker's id without `w-`; absent for the daemon's own. */
  runAs?: string;
};

/** Everything that one activation hands to the program that plays the Worker. */
export type AgentRun = {
  activationId: string;
  workerId: string;
  attempt: number;
  /** How this Worker is played: as was chosen for it, else as is set for all. */
  agent: WorkerAgent;
  /** The Worker's folder: it exists and becomes the working directory. */
  folder: string;
  /** Goes over stdin, never into the arguments, which every user of the machine can read. */
  prompt: string;
  /** Roles, identity and policy as one text, for agents that take them apart from the prompt, which holds them too. */
  instructions: string;
  /** The prompt for an agent that is given the instructions apart: without Roles and identity. */
  briefPrompt: string;
  mcp: { url: string; token: string };
  /** Tools of the agent program itself that the Worker holds, such as `Bash(gh *)`. */
  grants: string[];
  /** The agent's own session that goes on; absent for a fresh one. */
  resume?: string;
  /** Absent for a run that leaves no session behind; else the sessions of this Worker that later runs may go on in. */
  keptSessions?: string[];
  confinement: Confinement;
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
  /**
   * Follows our intent first: a program that we stopped is `timed_out` or `interrupted`, whatever its exit code. `lost` when a
   * part of the daemon failed under it, so that it could not be gone on with.
   */
  outcome: 'done' | 'failed' | 'timed_out' | 'interrupted' | 'lost';
  /** What stands in `=== exit: … ===`: `ok`, `exit code 3`, `signal SIGKILL`, `no output for 60 s`, `interrupted` … */
  exit: string;
  /** True when the agent as such is broken (missing, not executable, no login): the run says nothing about its triggers. */
  agentFault?: boolean;
  /** Bytes of output that came after the transcript was full; absent when there were none. */
  droppedBytes?: number;
  /** Where the agent reports it. */
  usage?: Usage;
  /** The agent's own session, by which a later run can go on. */
  session?: string;
};

/** Whether an agent could run now, and whose account pays as far as it knows; if not, what is wrong and what to do, each one sentence. */
export type AgentCheck = { ok: true; version?: string; account?: string } | { ok: false; problem: string; fix: string };

/** All that can be said of an agent without running it, for people who set it up. */
export type AgentReport = {
  kind: string;
  /** Where its program is; null when it was not found. */
  found: string | null;
  version: string | null;
  /** null where no login is needed, or none can be told. */
  loggedIn: boolean | null;
  /** Whose account pays for runs, in one sentence without a secret; absent where that is not known. */
  account?: string;
  /** What keeps it from running, each with what to do. */
  problems: { sentence: string; fix: string }[];
};

export type RunAgent = (run: AgentRun) => Promise<AgentResult>;

export type Agent = {
  kind: string;
  check(): Promise<AgentCheck>;
  /** Whether a session of its own can be gone on with; absent for agents that know no sessions. */
  canResume?(folder: string, session: string): Promise<boolean>;
  /** Version and model with which it would run now, for the record. */
  describe?(agent: WorkerAgent): Promise<{ version?: string; model?: string }>;
  /**
   * Plays the Worker once. Resolves only when every process of the activation is gone, also after a normal exit; what
   * cannot be ended is named in the transcript and waited for. Rejects only for bugs, and then too nothing is left running.
   */
  run: RunAgent;
};

/** Of an agent, what a run needs. */
export type PlayingAgent = Pick<Agent, 'kind' | 'run' | 'describe' | 'canResume'>;

/** The agents there are, of whatever kinds. */
export type Agents = {
  /** The kind that plays Workers for which none was chosen. It can change while the daemon runs. */
  defaultKind(): string;
  /** The agent for a Worker, and what holds for it: its own choice before what is set for all. */
  of(own: WorkerAgent): { agent: PlayingAgent; choice: WorkerAgent };
};
