import type { ToolDeps } from './define-tool.ts';

/**
 * Brings the texts in Workers' folders up to date after a change that is already recorded.
 * @returns a warning for each folder that could not be written; its Worker's next run tries again and says so too
 */
export function refreshFolders({ prepareFolder }: Pick<ToolDeps, 'prepareFolder'>, workerIds: string[]): string[] {
  return workerIds.flatMap((workerId) => {
    try {
      prepareFolder(workerId);
      return [];
    } catch (error) {
      return [`The folder of ${workerId} cannot be written: ${error instanceof Error ? error.message : String(error)}`];
    }
  });
}

export const withWarnings = (warnings: string[]): { warnings?: string[] } => (warnings.length > 0 ? { warnings } : {});
