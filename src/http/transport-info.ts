import { invalid } from '../domain/errors.ts';
import type { TransportInfo } from '../tools/define-tool.ts';
import type { Transport } from '../transports/transport.ts';

/**
 * What the tools are told of a transport.
 * @param baseUrl under which the outside reaches this daemon
 * @param accountOf what a transport's setting holds
 */
export function transportInfo(
  { kind, config, address, batch, inboundOnly, signs, account, receive, send, schedule }: Transport,
  baseUrl: () => string,
  accountOf: (key: string) => unknown,
): TransportInfo {
  return {
    kind,
    checkConfig(given) {
      const parsed = config.safeParse(given);
      if (parsed.success) return parsed.data as Record<string, unknown>;
      throw invalid(parsed.error.issues[0]?.message ?? `the ${kind} config does not fit`);
    },
    ...(address === undefined ? {} : { addressOf: (given) => address(given) }),
    signs: (checked) => (signs ? signs(checked) : checked.secret === true),
    ...(send && { way: (message, checked) => send.lane(message, checked) }),
    ...(batch === undefined ? {} : { batch }),
    ...(inboundOnly === undefined ? {} : { inboundOnly }),
    ...(schedule && {
      describeTimes: (transport) => schedule.describe(transport.config, new Date()),
    }),
    ...(receive && {
      describeInbound(streamId, transport) {
        const path = receive.path.replace(':stream', encodeURIComponent(streamId));
        return receive.describe(
          baseUrl().replace(/\/$/, '') + path,
          transport.config,
          account && accountOf(account.key),
        );
      },
    }),
  };
}
