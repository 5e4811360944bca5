// Credentials of the agents in chats. They live in memory only and die with the agent's process.
import { hashToken, newToken } from '../store/tokens.ts';

export type ChatIdentity = { workerId: string; onBehalfOf?: string; id: string };

export type ChatTokens = {
  issue(identity: ChatIdentity): string;
  verify(token: string): ChatIdentity | undefined;
  /** Ends what was issued under an id. */
  revoke(id: string): void;
};

export function createChatTokens(): ChatTokens {
  const byHash = new Map<string, ChatIdentity>();
  const keyOf = (token: string) => hashToken(token).toString('base64');
  return {
    issue(identity) {
      const token = newToken();
      byHash.set(keyOf(token), identity);
      return token;
    },
    verify: (token) => byHash.get(keyOf(token)),
    revoke(id) {
      for (const [key, identity] of byHash) if (identity.id === id) byHash.delete(key);
    },
  };
}
