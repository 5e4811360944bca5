// What happens by itself at certain times: the contract between the clock, which knows what time it is and what was done
// already, and the transports, which know what comes when.
import type { Message } from './message.ts';

/** One of the times. */
export type Due = {
  at: Date;
  /** How many times before it passed without anything being done, as while the daemon was down; counted no further than a hundred. */
  missed: number;
};

export type Schedule<Config> = {
  /** The first time after this moment; undefined when there will be none. */
  next(config: Config, after: Date): Date | undefined;
  /** The last time up to and including this moment; undefined when there was none. */
  last(config: Config, upTo: Date): Date | undefined;
  message(config: Config, due: Due): Message;
  /** What a person wants to know of it. */
  describe(config: Config, now: Date): Record<string, string>;
};
