// A model without judgement: it does whatever a message orders. What keeps it from doing harm is not the model.
import { expect } from 'vitest';
import { type ContractAgent, claudeAgent } from '../agents/contract-agents.ts';
import type { Script, Turn } from '../agents/script.ts';
import { agentStage, type HireOptions } from '../agents/stage.ts';

export type Order = { name: string; input: object | string };

const orderedIn = ({ prompt }: Turn): Order[] => {
  const last = prompt.match(/^ {4}OBEY (.*)$/gm)?.at(-1);
  return last === undefined ? [] : (JSON.parse(last.trim().slice('OBEY '.length)) as Order[]);
};

/** Works off the orders of the message, one by one. */
const obey: Script = (turn) => {
  const order = orderedIn(turn)[turn.results.length];
  return order ? { use: [order] } : { say: 'As you wished.' };
};

/** A Worker with such a model, who hears what anybody sends. */
export async function obedientStage(
  { settings, ...hire }: HireOptions & { settings?: Record<string, unknown> } = {},
  agent: ContractAgent = claudeAgent,
) {
  const turns: Turn[] = [];
  const stage = await agentStage(
    agent,
    (turn) => {
      turns.push(turn);
      return obey(turn);
    },
    settings,
  );
  await stage.hire('w-ann', hire);
  await stage.ended('w-ann', 0);
  let runs = 0;
  return {
    ...stage,
    turns,
    /** Sends the orders from outside; gives what each of them led to. */
    async order(...orders: Order[]): Promise<Turn['results']> {
      await stage.post(`OBEY ${JSON.stringify(orders)}`);
      runs += 1;
      const run = await stage.ended('w-ann', runs);
      expect(run).toMatchObject({ state: 'done', exit: 'ok' });
      const { results } = turns.at(-1)!;
      expect(results).toHaveLength(orders.length);
      return results;
    },
  };
}
