// Progress of calls that take a while, for clients that asked to hear of it: one that counts the time since it last heard of
// a call does not give it up then.
import type { Caller } from './define-tool.ts';

const STEP_SECONDS = 5;

type Reporter = Pick<Caller, 'onProgress'>;

/** @param totalSeconds the longest it can take, where that is known */
export function reportWait({ onProgress }: Reporter, message: string, totalSeconds?: number) {
  let timer: NodeJS.Timeout | undefined;
  return {
    /** Tells at once, then every 5 s; safe to call again while it does. */
    begin(): void {
      if (!onProgress || timer) return;
      let progress = 0;
      const total = totalSeconds === undefined ? {} : { total: totalSeconds };
      onProgress({ progress, ...total, message });
      timer = setInterval(() => {
        progress += STEP_SECONDS;
        if (progress < (totalSeconds ?? Infinity)) onProgress({ progress, ...total, message });
      }, STEP_SECONDS * 1_000);
    },
    end: (): void => clearInterval(timer),
  };
}

/** Tells of a wait for as long as it takes. */
export async function whileReporting<T>(caller: Reporter, message: string, wait: () => Promise<T>): Promise<T> {
  const report = reportWait(caller, message);
  report.begin();
  try {
    return await wait();
  } finally {
    report.end();
  }
}
