import type { Courier } from '../dispatch/courier.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Folders } from '../dispatch/folder.ts';
import type { Tokens } from '../store/tokens.ts';
import type { Lifecycle } from '../tools/define-tool.ts';

export type LifecycleDeps = {
  tokens: Tokens;
  folders: Folders;
  /** Absent while no daemon runs: then nobody runs. */
  dispatcher?: Pick<Dispatcher, 'interrupt' | 'ended'>;
  courier?: Pick<Courier, 'isDelivering'>;
};

/** What tools may ask of the daemon besides the journal. */
export function createLifecycle({ tokens, folders, dispatcher, courier }: LifecycleDeps): Lifecycle {
  return {
    isDelivering: (deliveryId) => courier?.isDelivering(deliveryId) ?? false,
    folderOf: (workerId) => folders.pathOf(workerId),
    async interrupt(workerId) {
      const interrupted = dispatcher?.interrupt(workerId, 'person') ?? false;
      await dispatcher?.ended(workerId);
      return interrupted;
    },
    async dismiss(workerId) {
      tokens.revokeAll(workerId);
      await dispatcher?.ended(workerId);
      folders.archive(workerId);
    },
  };
}
