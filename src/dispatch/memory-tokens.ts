// Credentials that live in memory only: those of running activations and of the agents in chats. A restart ends all of them.
import type { Cause } from '../domain/entry.ts';
import { hashToken, newToken } from '../store/tokens.ts';

export type MemoryTokens<Identity> = {
  /** @param onUse called whenever somebody comes with it */
  issue(identity: Identity, onUse?: () => void): string;
  verify(token: string): Identity | undefined;
  /** Ends every token of an activation or a chat agent; calls made with one from here on are refused. */
  revoke(id: string): void;
};

export type ActivationIdentity = { workerId: string; activationId: string; cause: Cause };
export type ActivationTokens = MemoryTokens<ActivationIdentity>;

/** `id` names the agent's process; with `onBehalfOf` the Worker acts for somebody else. */
export type ChatIdentity = { workerId: string; onBehalfOf?: string; id: string };
export type ChatTokens = MemoryTokens<ChatIdentity>;

export const createActivationTokens = (): ActivationTokens => createMemoryTokens(({ activationId }) => activationId);

export const createChatTokens = (): ChatTokens => createMemoryTokens(({ id }) => id);

function createMemoryTokens<Identity>(idOf: (identity: Identity) => string): MemoryTokens<Identity> {
  const byHash = new Map<string, { identity: Identity; onUse: () => void }>();
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
    revoke(id) {
      for (const [key, { identity }] of byHash) if (idOf(identity) === id) byHash.delete(key);
    },
  };
}
