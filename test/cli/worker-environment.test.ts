import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createWorkerEnvironment } from '../../src/cli/worker-environment.ts';
import { type Caller, connectOwner, startTestDaemon, temporaryDirectory, waitFor } from '../support/daemon.ts';
import { deliver, issue, WEBHOOK_SECRET } from '../support/github.ts';

const noSecrets = () => {
  const secrets = new Map<string, string>();
  return {
    secret: (name: string) => secrets.get(name),
    setSecret: (name: string, value: string) => void secrets.set(name, value),
  };
};

describe('GH_TOKEN', () => {
  function variables(grants: string[], account: unknown): Record<string, string> {
    const held = new Map([['w-ann', new Map(grants.map((grant, n) => [grant, `g-${n}`]))]]);
    const environment = createWorkerEnvironment({
      dataDir: temporaryDirectory(),
      journal: { org: { grants: held } } as never,
      settings: { ...noSecrets(), account: () => account },
      path: '/usr/bin',
    });
    return environment({
      workerId: 'w-ann',
      activationId: 'a-00000000-0000-4000-8000-000000000000',
      hops: 0,
      triggers: [],
    });
  }
  const account = { token: 'ghp_x', webhook_secret: 's' };

  test.each([['agent:Bash'], ['agent:Bash(gh *)'], ['agent:Bash(gh issue comment *)'], ['agent:Bash(gh:*)']])(
    'goes to who holds %s',
    (grant) => {
      expect(variables(['publish', grant], account)).toMatchObject({ GH_TOKEN: 'ghp_x' });
    },
  );

  test.each([['subscribe'], ['agent:WebFetch'], ['agent:Bash(git *)'], ['agent:Bash(ghost *)'], ['agent:BashOutput']])(
    'goes to nobody for %s',
    (grant) => {
      expect(variables([grant], account)).not.toHaveProperty('GH_TOKEN');
    },
  );

  test('is absent where none is set, and goes along with the host of an Enterprise Server', () => {
    expect(variables(['agent:Bash'], undefined)).not.toHaveProperty('GH_TOKEN');
    expect(variables(['agent:Bash'], { webhook_secret: 's' })).not.toHaveProperty('GH_TOKEN');
    expect(variables(['agent:Bash'], { token: 't', api_url: 'https://github.acme.example/api/v3' })).toMatchObject({
      GH_TOKEN: 't',
      GH_ENTERPRISE_TOKEN: 't',
      GH_HOST: 'github.acme.example',
    });
    expect(variables(['agent:Bash'], account)).not.toHaveProperty('GH_HOST');
  });
});

test('a Worker’s gh finds its token as it is set now, and what it writes comes back as its own', async () => {
  const programs = temporaryDirectory();
  const gh = join(programs, 'gh');
  writeFileSync(
    gh,
    `#!/bin/sh\nprintf '%s\\n' "token=$GH_TOKEN" "$@" > "${programs}/said.$(printf %s "$5" | head -n 1)"\n`,
  );
  chmodSync(gh, 0o755);
  const path = process.env.PATH;
  process.env.PATH = [programs, path].join(delimiter);
  onTestFinished(() => {
    process.env.PATH = path;
  });
  const agent = ['sh', '-c', 'cat > /dev/null; gh issue comment 7 -b "$HELIX_ACTIVATION_ID" && echo commented'];
  const daemon = await startTestDaemon({ agent: [...agent] });
  const owner = await connectOwner(daemon);
  daemon.settings.set('transport.github', { webhook_secret: WEBHOOK_SECRET, token: 'ghp_first' });
  const transport = { kind: 'github', config: { repo: 'acme/site', events: ['*'] } };
  await owner.call('create_stream', { id: 's-gh', name: 'gh', transport });
  await hire(owner, 'w-ann');
  const runs = () =>
    daemon.queries
      .activationsOf('w-ann', 10)
      .filter(({ state }) => state === 'done')
      .reverse();
  await waitFor('the hire is done', () => runs().length === 1);
  daemon.settings.set('transport.github', { webhook_secret: WEBHOOK_SECRET, token: 'ghp_second' });
  await deliver(daemon.url, { body: issue() });
  await waitFor('the issue is done', () => runs().length === 2);

  const said = () => {
    const [hired, issued] = runs().map(({ id }) => readFileSync(join(programs, `said.${id}`), 'utf8'));
    return { hired, issued };
  };
  expect(said().hired).toContain('token=ghp_first\nissue\ncomment\n7\n');
  expect(said().issued).toContain('token=ghp_second\n');
  const body = said().issued!.split('-b\n')[1]!.trim();
  expect(body).toMatch(/<!-- helix-activation: 1\.a-.*\.0\.e-.* [0-9a-f]{12} -->$/);
  await deliver(daemon.url, { event: 'issue_comment', body: issue({ action: 'created', comment: { body } }) });
  const [back, first] = daemon.queries.events(['s-gh'], { limit: 2 }).map(({ seq }) => daemon.queries.entry(seq)!);
  expect(back).toMatchObject({ hops: 1, root: first?.root });
});

async function hire(owner: Caller, id: string): Promise<void> {
  await owner.call('create_role', { id: 'r-gh', content: '# Role: gh' });
  await owner.call('create_position', { id: 'p-gh', roleId: 'r-gh', parentId: 'p-root' });
  const grants = ['agent:Bash(gh *)'];
  await owner.call('hire_worker', {
    id,
    positionId: 'p-gh',
    kind: 'ai',
    identityContent: 'Ann',
    grants,
    streams: ['s-gh'],
  });
}
