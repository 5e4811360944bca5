/** What one look of `doctor` found. */
export type Finding = {
  /** Names the check, in two or three words. */
  check: string;
  /** `broken`: something does not work, or will not after the next restart; `skipped`: it could not be looked at. */
  state: 'ok' | 'warning' | 'broken' | 'skipped';
  /** One sentence: what is so. */
  says: string;
  /** Exactly what to do; with every warning and everything broken. */
  fix?: string;
};

/** @returns several where several things are wrong with one matter; none where it does not concern this organisation */
export type Look = () => Promise<Finding[]> | Finding[];

export const fine = (check: string, says: string): Finding[] => [{ check, state: 'ok', says }];
export const warning = (check: string, says: string, fix: string): Finding[] => [
  { check, state: 'warning', says, fix },
];
export const broken = (check: string, says: string, fix: string): Finding[] => [{ check, state: 'broken', says, fix }];
export const skipped = (check: string, says: string): Finding[] => [{ check, state: 'skipped', says }];

/** One after the other; a look that fails is a finding itself. */
export async function findAll(looks: Record<string, Look>): Promise<Finding[]> {
  const found: Finding[] = [];
  for (const [check, look] of Object.entries(looks)) {
    try {
      found.push(...(await look()));
    } catch (error) {
      const says = `It could not be looked at: ${error instanceof Error ? error.message : String(error)}`;
      found.push(...broken(check, says, 'Mend what this names, then run `helix-org doctor` again.'));
    }
  }
  return found;
}
