/** Subscribes as the Role says: again after a second while the Stream is not there, up to 60 times. */
export async function subscribePatiently(worker, streamId) {
  for (let tries = 1; ; tries += 1) {
    const { refusal } = await worker.tryUse('subscribe', { streamId });
    if (refusal === undefined) return;
    if (!refusal.endsWith('record not found') || tries === 60) throw new Error(refusal);
    if (tries === 1) worker.say(`${streamId} is not there yet; I wait for it.`);
    await worker.pause(1_000);
  }
}
