const codeOf = (error: unknown): string => String((error as { code?: unknown })?.code ?? '');

/** The disk is full or another program holds the database: true of every command alike, and it may pass. */
export const isUnavailable = (error: unknown): boolean =>
  /^SQLITE_(FULL|BUSY|LOCKED|READONLY|CANTOPEN)/.test(codeOf(error));

/** The disk refused a write or a sync: what it holds now is not known. */
export const isDiskFailure = (error: unknown): boolean => /^SQLITE_(IOERR|CORRUPT)/.test(codeOf(error));

/** Ends the process, so that nothing is acknowledged wrongly; exit code 74 is EX_IOERR of sysexits.h. */
export function endProcess(error: unknown): void {
  process.stderr.write(
    `helix-org: the disk failed, stopping so that nothing is acknowledged wrongly: ${String(error)}\n`,
  );
  process.exit(74);
}
