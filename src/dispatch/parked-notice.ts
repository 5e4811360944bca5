/** Tells people that triggers were given up after too many attempts. */
export function parkedNotice(
  workerId: string,
  { triggers, attempt }: { triggers: number[]; attempt: number },
  exit: string,
): { subject: string; body: string } {
  const what = triggers.length === 1 ? 'a trigger' : `${triggers.length} triggers`;
  return {
    subject: `${workerId} could not deal with ${what}`,
    body:
      `After ${attempt} ${attempt === 1 ? 'attempt' : 'attempts'} the last run ended with: ${exit}. ` +
      `Parked, so that later work goes on: journal ${triggers.join(', ')}. worker_log of ${workerId} shows what happened.`,
  };
}
