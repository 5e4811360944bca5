// What a page says after a form ran a tool. A tool that is missing here is told by its name.

type Sentence = (args: Record<string, unknown>, result: Record<string, unknown>) => string;

const sentences: Record<string, Sentence> = {
  update_role: ({ roleId }) => `Saved. Every Worker in ${roleId} reads the new text at its next activation.`,
  update_identity: ({ workerId }) => `Saved. ${workerId} reads it at its next activation.`,
  update_agent: ({ workerId }) => `Saved. It holds from the next activation of ${workerId} on.`,
  create_role: (_, { id }) => `Role ${id} was made.`,
  delete_role: ({ roleId }) => `Role ${roleId} was deleted.`,
  create_position: (_, { id }) => `Position ${id} was made.`,
  update_position: ({ positionId }) => `Position ${positionId} was changed.`,
  delete_position: ({ positionId }) => `Position ${positionId} was deleted.`,
  hire_worker: (_, { id, granted }) => `${id} was hired${toolsOf(granted)}.`,
  move_worker: ({ workerId, positions }) => `${workerId} now sits in ${listOf(positions) || 'no Position'}.`,
  pause_worker: ({ workerId }) => `${workerId} is paused. What arrives waits.`,
  resume_worker: ({ workerId }) => `${workerId} goes on.`,
  interrupt_worker: ({ workerId }, { interrupted }) =>
    interrupted
      ? `The run of ${workerId} was stopped; its work is parked until you retry it.`
      : `${workerId} was not running.`,
  activate_worker: ({ workerId }) => `${workerId} was asked to run.`,
  fire_worker: ({ workerId }) => `${workerId} was fired. Its history stays.`,
  grant_tool: ({ workerId, toolName }) => `${workerId} may now use ${toolName}.`,
  revoke_tool: () => 'The tool was taken away; it holds from the next call on.',
  invite_workers: ({ workerIds, streamId }) => `${listOf(workerIds)} now listens to ${streamId}.`,
  create_stream: (_, { id }) => `Stream ${id} was made.`,
  update_stream: ({ streamId }) => `${streamId} is saved.`,
  rotate_secret: ({ streamId }, { secret, previousUntil }) =>
    secret === undefined
      ? `The old secret of ${streamId} has ended.`
      : `The new secret of ${streamId}, shown this once: ${secret}${previousUntil ? `\nThe old one holds until ${previousUntil}.` : ''}`,
  delete_stream: ({ streamId }) => `${streamId} was deleted. Its history stays.`,
  subscribe: ({ streamId }) => `You listen to ${streamId} now.`,
  unsubscribe: ({ streamId }) => `You listen to ${streamId} no more.`,
  publish: (_, { id, activates, outbound }) => `Sent.${wokenBy(activates)}${LEAVING[String(outbound)] ?? ''} ${id}`,
  redact_event: () => 'What it said is erased for good.',
  pause_org: () => 'Everything is paused. Events are kept; nobody is woken until you resume.',
  resume_org: () => 'The org goes on; what waited is being worked off.',
  retry: ({ id }) => `${id} is tried again.`,
  release: ({ id }) => `${id} was released.`,
  discard: ({ id }) => `${id} was discarded.`,
};

/** One sentence, and the tool's own warnings after it. */
export function sentenceOf(tool: string, args: Record<string, unknown>, result: Record<string, unknown>): string {
  const said = Object.hasOwn(sentences, tool) ? sentences[tool]?.(args, result) : undefined;
  const warnings = Array.isArray(result.warnings) ? result.warnings.map(String) : [];
  return [said ?? `${tool}: done.`, ...warnings].join(' ');
}

const LEAVING: Record<string, string> = {
  queued: ' It is on its way out.',
  held: ' It is held until somebody releases it.',
};

function wokenBy(activates: unknown): string {
  const { count = 0, workers = [] } = (activates ?? {}) as { count?: number; workers?: string[] };
  return count === 0
    ? ' It wakes nobody.'
    : ` It wakes ${count > workers.length ? `${count} Workers` : workers.join(', ')}.`;
}

const listOf = (value: unknown): string => (Array.isArray(value) ? value.join(', ') : String(value ?? ''));

const toolsOf = (granted: unknown): string =>
  Array.isArray(granted) && granted.length > 0 ? ` with ${granted.join(', ')}` : '';
