// The agent in a chat: one process that a person talks with for as long as they like, unlike an activation, which is one turn.

/** How the process is started. */
export type ChatLaunch = {
  /** The program and its arguments, those that make it read and write stream-json included. */
  command: string[];
  environment: Record<string, string>;
  cwd: string;
  /** Of the operating system; absent for the daemon's own. */
  user?: { uid: number; gid: number };
  /** Ends what it was given, such as its credential; called once, when the process is gone. */
  release(): void;
};

/** What cannot be done for a reason that a person can mend, and how. */
export type ChatProblem = { sentence: string; fix: string };

/** What the agent does, as it does it. */
export type ChatTalk =
  | { kind: 'began'; session: string; model: string }
  /** The next letters of what it is saying. */
  | { kind: 'piece'; text: string }
  /** A text that is complete; its pieces came before. */
  | { kind: 'said'; text: string }
  | { kind: 'call'; id: string; name: string; input: unknown }
  | { kind: 'result'; id: string; isError: boolean; content: unknown }
  /** Something to know that is no answer, such as that it tries again. */
  | { kind: 'remark'; text: string }
  | { kind: 'ended'; model?: string; session?: string; costUsd?: number; problem?: ChatProblem };

export type ChatProcess = {
  /** Hands over what was said; what comes of it arrives as talk, up to `ended`. */
  say(text: string): void;
  /** Asks it to leave off its answer; `ended` follows, if it obeys. */
  interrupt(): void;
  /** It takes no more: it has ended, if not yet all that it started. */
  readonly hasEnded: boolean;
  /** Settles when every process of it is gone: how it went, and the last it said on stderr. Never rejects. */
  gone: Promise<{ exit: string; complaint: string }>;
  /** Ends it with all its processes. */
  stop(): Promise<void>;
};

/** @param mark by which its processes are found again @throws Error when it cannot be started */
export type StartChatProcess = (
  launch: ChatLaunch,
  mark: string,
  onTalk: (talk: ChatTalk) => void,
) => Promise<ChatProcess>;
