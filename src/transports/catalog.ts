import { cron } from './cron.ts';
import { email } from './email.ts';
import { github } from './github.ts';
import { local } from './local.ts';
import type { Transport } from './transport.ts';
import { webhook } from './webhook.ts';

/** Every transport there is, by kind, in the order in which they are named to people. */
export const transports: ReadonlyMap<string, Transport> = new Map(
  ([local, webhook, email, github, cron] as Transport[]).map((transport) => [transport.kind, transport]),
);
