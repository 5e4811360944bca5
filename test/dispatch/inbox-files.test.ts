// The files of a mail, in the folder of the Worker it wakes.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dispatchStage, type Run } from '../support/dispatch.ts';
import { ACCOUNT, mailTo, postMail } from '../support/mail.ts';

const file = (Name: string, text: string) => ({
  Name,
  ContentType: 'text/plain',
  Content: Buffer.from(text).toString('base64'),
});

async function stage(play: (run: Run) => void) {
  const org = await dispatchStage({ play });
  org.daemon.settings.set('transport.postmark', ACCOUNT);
  await org.stream('s-in', { transport: { kind: 'email', config: { alias: 'sam' } } });
  await org.hire('w-sam', { streams: ['s-in'] });
  await org.idle();
  const mail = async (changes: Record<string, unknown>) => {
    expect(await postMail(org.daemon.url, mailTo('sam', changes))).toMatchObject({ status: 204 });
    await org.idle();
  };
  return { ...org, mail, folder: join(org.daemon.paths.envsDir, 'w-sam') };
}

test('lie in inbox/ while the Worker is shown the mail, and the prompt says where', async () => {
  const found: string[] = [];
  const org = await stage(({ prompt, folder }) => {
    for (const [, path] of prompt.matchAll(/, file (inbox\/\S+)$/gm)) {
      found.push(`${path}: ${readFileSync(join(folder, path!), 'utf8')}`);
      expect(statSync(join(folder, path!)).mode & 0o077).toBe(0);
    }
  });
  await org.mail({ Attachments: [file('plan.txt', 'The plan.'), file('../../../etc/cron.d/x y‮txt.sh', 'rm')] });
  const [first] = org.daemon.queries.events(['s-in'], { limit: 1 });
  expect(found).toEqual([`inbox/${first!.id}/1-plan.txt: The plan.`, `inbox/${first!.id}/2-x_ytxt.sh: rm`]);
  await org.mail({ Attachments: [file('next.txt', 'Next.')] });
  expect(found).toHaveLength(3);
  expect(readdirSync(join(org.folder, 'inbox'))).toHaveLength(1);
  await org.mail({});
  expect(existsSync(join(org.folder, 'inbox'))).toBe(false);
});

test('do not go where a Worker leads its folder', async () => {
  const org = await stage(() => {});
  const elsewhere = join(org.daemon.paths.dataDir, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'kept'), 'x');
  symlinkSync(elsewhere, join(org.folder, 'inbox'));
  await org.mail({ Attachments: [file('plan.txt', 'The plan.')] });
  expect(readdirSync(elsewhere)).toEqual(['kept']);
  const [event] = org.daemon.queries.events(['s-in'], { limit: 1 });
  expect(readFileSync(join(org.folder, 'inbox', event!.id, '1-plan.txt'), 'utf8')).toBe('The plan.');
  rmSync(elsewhere, { recursive: true });
});

test('are gone when the mail is redacted', async () => {
  const org = await stage(() => {});
  await org.mail({ Attachments: [file('plan.txt', 'The plan.')] });
  const [event] = org.daemon.queries.events(['s-in'], { limit: 1 });
  const place = join(org.folder, 'inbox', event!.id);
  expect(existsSync(place)).toBe(true);
  await org.call('redact_event', { id: event!.id, reason: 'personal' });
  expect(existsSync(place)).toBe(false);
});
