import { z } from 'zod';
import type { Transport } from './transport.ts';

/** Nothing crosses the network; a config given along with it means nothing and is dropped. */
export const local = {
  kind: 'local',
  config: z.unknown().transform(() => ({})),
} satisfies Transport;
