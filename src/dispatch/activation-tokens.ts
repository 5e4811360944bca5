// Tokens of running activations. They live in memory only and die with their run.
import type { Cause } from '../domain/entry.ts';
import { hashToken, newToken } from '../store/tokens.ts';

export type ActivationIdentity = { workerId: string; activationId: string; cause: Cause };

export type ActivationTokens = {
  /** @param onUse called whenever somebody comes with it */
  issue(identity: ActivationIdentity, onUse?: () => void): string;
  verify(token: string): ActivationIdentity | undefined;
  /** Ends the token of an activation; calls made with it from here on are refused. */
  revoke(activationId: string): void;
};

export function createActivationTokens(): ActivationTokens {
  const byHash = new Map<string, { identity: ActivationIdentity; onUse: () => void }>();
  const keyOf = (token: string) => hashToken(token).toString('base64');
  return {
    issue(identity, onUse = () => {}) {
      const token = newToken();
      byHash.set(keyOf(token), { identity, onUse });
      return token;
    },
    verify(token) {
      const found = byHash.get(keyOf(token));
      found?.onUse();
      return found?.identity;
    },
    revoke(activationId) {
      for (const [key, { identity }] of byHash) if (identity.activationId === activationId) byHash.delete(key);
    },
  };
}
