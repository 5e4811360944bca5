import { endLine, remarkLine, saidLine } from './chat-lines.ts';
import { type TurnDeps, writeLines } from './chat-turn.ts';

export type ChatRecoveryDeps = Pick<TurnDeps, 'journal' | 'chats' | 'now'> & {
  /** Ends the processes that carry a mark. */
  stopProcesses(mark: string): Promise<void>;
};

const CUT_OFF = 'The daemon was restarted in the middle of this answer. Your next message goes on from here.';

/** Ends what a killed daemon left: processes of chats, and answers that stopped in the middle. What was said of them is kept. */
export async function recoverChats(deps: ChatRecoveryDeps): Promise<void> {
  for (const conversation of deps.chats.unfinished()) {
    await deps.stopProcesses(conversation.id);
    const said = conversation.unfinished?.trim() ? [saidLine(conversation.unfinished)] : [];
    await writeLines(deps, conversation, [...said, remarkLine(CUT_OFF), endLine({ state: 'cut off' })]);
    deps.chats.change(conversation.id, { unfinished: null });
  }
}
