// Every setting a person may give: the daemon's own, and what the transports bring along.

import { settingDefinitions } from '../store/daemon-settings.ts';
import { define, type Registry } from '../store/setting-definition.ts';
import { transports } from '../transports/catalog.ts';

/** Settings of transports, by key, such as `transport.postmark`; unset they are null. */
export const accountSettings: Registry = Object.fromEntries(
  [...transports.values()].flatMap(({ account }) =>
    account ? [[account.key, define(account.schema.nullable(), null, account.describe, account.secret)]] : [],
  ),
);

export const settingRegistry: Registry = { ...settingDefinitions, ...accountSettings };
