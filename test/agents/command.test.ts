import { createHash } from 'node:crypto';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createCommandAgent } from '../../src/agents/command.ts';
import { readProcess } from '../../src/agents/process-table.ts';
import { createFolder, createRun, play, script, sh } from './play.ts';

test('gives the program its folder, the prompt and its own environment, and nothing of the daemon’s', async () => {
  process.env.HELIX_TEST_SECRET = 'of the daemon';
  onTestFinished(() => {
    delete process.env.HELIX_TEST_SECRET;
  });
  const folder = createFolder();
  const print = `import { text } from 'node:stream/consumers';
    console.log(JSON.stringify([process.cwd(), await text(process.stdin), Object.keys(process.env).sort(), process.argv.length]));
    console.log(process.env.HELIX_MCP_URL, process.env.HELIX_MCP_TOKEN, process.env.HOME, process.env.GH_TOKEN);`;
  const { result, segments, root } = await play(script(folder, print), {
    folder,
    environment: { GH_TOKEN: 'its own' },
  });
  const [cwd, prompt, names, argc] = JSON.parse(
    (segments[0]?.extra as { text: string })?.text ?? segments[0]?.body ?? '',
  );
  expect([cwd, prompt, argc]).toEqual([folder, 'Hello.', 2]);
  const passedOn = Object.keys(process.env).filter((name) =>
    /^(PATH|LANG|LC_.*|TZ|TMPDIR|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/i.test(name),
  );
  const own = [
    'GH_TOKEN',
    'HOME',
    ...['ACTIVATION_ID', 'ATTEMPT', 'MCP_TOKEN', 'MCP_URL', 'WORKER_ID'].map((n) => `HELIX_${n}`),
  ];
  const added = names.filter((name: string) => name !== '__CF_USER_TEXT_ENCODING' && !/^no_proxy$/i.test(name));
  expect(added).toEqual([...passedOn.filter((name) => !/^no_proxy$/i.test(name)), ...own].sort());
  expect(segments[1]?.body).toBe(`http://127.0.0.1:8080/workers/w-ada/mcp the-token ${folder}/.home its own`);
  expect(result).toEqual({ outcome: 'done', exit: 'ok' });
  expect(root?.pid).toBeGreaterThan(1);
});

test('hands over a prompt of 1 MB unchanged', async () => {
  const prompt = 'é漢🙂 "quoted"\n'.repeat(60_000).slice(0, 1_000_000);
  const digest = `import { createHash } from 'node:crypto';
    const hash = createHash('sha256');
    for await (const chunk of process.stdin) hash.update(chunk);
    console.log(hash.digest('hex'));`;
  const folder = createFolder();
  const { bodies } = await play(script(folder, digest), { folder, prompt });
  expect(bodies).toEqual([createHash('sha256').update(prompt).digest('hex')]);
});

test.each([
  ['ends at once', sh('exit 0')],
  ['closes its stdin', sh('exec <&-; echo closed; sleep 0.1')],
  ['never reads', sh('echo ready')],
])('does not mind a program that %s instead of reading 1 MB', async (_, command) => {
  const { result } = await play(command, { prompt: 'x'.repeat(1_000_000) });
  expect(result).toEqual({ outcome: 'done', exit: 'ok' });
});

test.each([
  ['exit 0', { outcome: 'done', exit: 'ok' }],
  ['exit 3', { outcome: 'failed', exit: 'exit code 3' }],
  ['kill -KILL $$', { outcome: 'failed', exit: 'signal SIGKILL' }],
  ['kill -INT $$', { outcome: 'failed', exit: 'signal SIGINT' }],
])('says how `%s` ended', async (text, expected) => {
  expect((await play(sh(text))).result).toEqual(expected);
});

test('starts the program in a session of its own, and says which process it is', async () => {
  const { bodies, root } = await play(sh('echo $$; cat /proc/$$/stat 2>/dev/null || ps -o pgid= -p $$'), {
    onStart: ({ pid }) => expect(pid).not.toBe(process.pid),
  });
  expect(bodies[0]).toBe(String(root?.pid));
  expect(bodies[1]).toMatch(new RegExp(`\\b${root?.pid}$|\\) [RS] \\d+ ${root?.pid} ${root?.pid} `));
  expect(root?.startedAt).not.toBe('');
  expect(root?.startedAt).not.toBe((await readProcess(process.pid))?.startedAt);
});

test('says why a program cannot be started, and that this is no fault of the Worker', async () => {
  const folder = createFolder();
  const notExecutable = join(folder, 'plain');
  const noInterpreter = join(folder, 'script');
  writeFileSync(notExecutable, 'text');
  writeFileSync(noInterpreter, '#!/no/such/interpreter\n');
  chmodSync(noInterpreter, 0o755);
  const exits = [
    [['no-such-program'], 'cannot start "no-such-program": no such program'],
    [[join(folder, 'nothing')], `cannot start "${folder}/nothing": no such program`],
    [[notExecutable], `cannot start "${folder}/plain": not executable`],
    [[folder], `cannot start "${folder}": not a program`],
    [[noInterpreter], `cannot start "${folder}/script": its interpreter is missing`],
    [[], 'cannot start: no program is set'],
  ] as const;
  for (const [command, exit] of exits) {
    const { result, segments, root } = await play([...command], { folder });
    expect({ result, segments, root }).toEqual({
      result: { outcome: 'failed', exit, agentFault: true },
      segments: [],
      root: undefined,
    });
  }
});

test('does not blame the agent for a missing folder or a variable that cannot be passed', async () => {
  const folder = createFolder();
  rmSync(folder, { recursive: true });
  const { result } = await play(['true'], { folder });
  expect(result).toEqual({ outcome: 'failed', exit: `cannot start "true": the folder ${folder} cannot be entered` });
  expect(existsSync(folder)).toBe(false);
  const nul = (await play(['true'], { environment: { GH_TOKEN: 'a\0b' } })).result;
  expect(nul).toMatchObject({ outcome: 'failed', exit: expect.stringMatching(/^cannot start "true": .*null bytes/) });
  expect(nul.agentFault).toBeUndefined();
  const large = (await play(['true'], { environment: { GH_TOKEN: 'x'.repeat(4_000_000) } })).result;
  expect(large).toEqual({ outcome: 'failed', exit: 'cannot start "true": spawn E2BIG' });
});

test('takes the command as it is set when the run starts', async () => {
  const command = vi.fn(() => ['true']);
  await createCommandAgent({ command }).run(createRun());
  expect(command).toHaveBeenCalledExactlyOnceWith();
});

test('checks that the program is there', async () => {
  const check = (...command: string[]) => createCommandAgent({ command: () => command }).check();
  expect(await check('sh', '-c', 'exit 1')).toEqual({ ok: true });
  expect(await check(process.execPath)).toEqual({ ok: true });
  expect(await check()).toMatchObject({ ok: false, problem: 'agent.command is not set.' });
  expect(await check('no-such-program')).toMatchObject({
    problem: 'agent.command names "no-such-program": no such program.',
    fix: expect.stringContaining('helix-org config set agent.command'),
  });
  expect(await check('/etc/passwd')).toMatchObject({ problem: 'agent.command names "/etc/passwd": not executable.' });
  expect(await check('./agent')).toMatchObject({ problem: expect.stringContaining("each Worker's folder") });
});
