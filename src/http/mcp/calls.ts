import type { Credential } from '../auth.ts';

export type RunningCall = { signal: AbortSignal; done(): void };

/**
 * Calls that run now. Clients of the 2025 protocol cancel by a request of its own, which meets another server here, so the
 * endpoint knows what runs. Without sessions two clients with one token may use the same id; then neither is cancelled.
 */
export function createCalls() {
  const running = new Map<string, Set<AbortController>>();
  let onSettled = () => {};
  const keyOf = (credential: Credential, id: unknown) => `${credential.id} ${typeof id} ${String(id)}`;
  return {
    begin(credential: Credential, id: string | number, signal: AbortSignal): RunningCall {
      const key = keyOf(credential, id);
      const controller = new AbortController();
      const same = running.get(key) ?? new Set();
      running.set(key, same.add(controller));
      const done = () => {
        same.delete(controller);
        if (same.size === 0) running.delete(key);
        if (running.size === 0) onSettled();
      };
      return { signal: AbortSignal.any([signal, controller.signal]), done };
    },
    /** Whether this message cancels a call; if so, it is done. */
    cancelled(credential: Credential, message: unknown): boolean {
      const { method, id, params } = (message ?? {}) as {
        method?: unknown;
        id?: unknown;
        params?: { requestId?: unknown };
      };
      if (method !== 'notifications/cancelled' || id !== undefined) return false;
      const same = running.get(keyOf(credential, params?.requestId));
      if (same?.size === 1) for (const controller of same) controller.abort();
      return true;
    },
    /** Resolves when none runs, or the time is up. */
    settled: (timeoutMs: number) =>
      new Promise<void>((resolve) => {
        if (running.size === 0) return resolve();
        const timer = setTimeout(resolve, timeoutMs);
        onSettled = () => {
          clearTimeout(timer);
          // After the answers of this turn are on their way.
          setImmediate(resolve);
        };
      }),
  };
}
