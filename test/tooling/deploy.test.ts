// The files to run it by: there is no container engine in a test, so what they say is held against what is packed and against
// each other, and the checks that need none are run.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../../src/cli/main.ts';
import { dockerfile, instructions, words } from './dockerfile.ts';
import { folder, repository } from './sandbox.ts';

const text = (name: string) => readFileSync(join(repository, 'deploy', name), 'utf8');
const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  version: string;
  files: string[];
  engines: { node: string };
};

/** The flags that `serve` and all commands know. */
function knownFlags(): (string | undefined)[] {
  const program = createProgram({ out() {}, err() {}, environment: {}, exitCode: 0 });
  const serve = program.commands.find((command) => command.name() === 'serve');
  return [...program.options, ...(serve?.options ?? [])].map(({ long }) => long);
}

const flagsIn = (line: string) => line.match(/--[a-z-]+/g) ?? [];

test('everything to run it by is in the package', () => {
  expect(manifest.files).toContain('deploy');
});

describe('the image', () => {
  const stages = dockerfile();
  const last = stages.at(-1)!;

  test('is built of the packed package only, by two stages on a Node that is new enough', () => {
    expect(stages).toHaveLength(2);
    const [major = 0] = /NODE=(\d+)/.exec(text('Dockerfile'))?.slice(1).map(Number) ?? [];
    expect(major).toBeGreaterThan(Number(/\d+/.exec(manifest.engines.node)?.[0]));
    const tarball = `helix-org-${manifest.version}.tgz`;
    const fromContext = stages
      .flatMap((stage) => instructions(stage, 'COPY'))
      .filter((copy) => !copy.includes('--from'));
    expect(fromContext).toEqual(['helix-org-*.tgz /tmp/package/']);
    expect(tarball).toMatch(/^helix-org-.*\.tgz$/);
    expect(
      text('Dockerfile.dockerignore')
        .split('\n')
        .filter((line) => line && !line.startsWith('#')),
    ).toEqual(['*', '!helix-org-*.tgz']);
    const install = instructions(stages[0]!, 'RUN').join('\n');
    const prefix = /--prefix (\S+)/.exec(install)?.[1];
    expect(instructions(last, 'COPY')).toEqual([`--from=install ${prefix} ${prefix}`]);
    expect(words(last, 'ENTRYPOINT')).toEqual([`${prefix}/node_modules/.bin/helix-org`]);
  });

  test('runs as nobody special, with its data in a volume that is its own', () => {
    const [user = ''] = instructions(last, 'USER');
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    const [volume = ''] = instructions(last, 'VOLUME');
    const environment = instructions(last, 'ENV').join(' ');
    expect(environment).toContain(`HELIX_ORG_HOME=${volume}`);
    expect(environment).toContain(`HOME=${volume}`);
    expect(instructions(last, 'RUN').join(' ')).toContain(
      `install -d -o ${user.split(':')[0]} -g ${user.split(':')[1]} -m 0700 ${volume}`,
    );
  });

  test('gives serve flags that it has, and asks its own port whether it is ready', () => {
    const command = words(last, 'CMD');
    expect(command[0]).toBe('serve');
    expect(knownFlags()).toEqual(expect.arrayContaining(flagsIn(command.join(' '))));
    const [port = ''] = instructions(last, 'EXPOSE');
    expect(command).toContain(`0.0.0.0:${port}`);
    expect(instructions(last, 'HEALTHCHECK').join()).toContain(`http://127.0.0.1:${port}/readyz`);
  });
});

type Compose = {
  services: Record<
    string,
    Record<string, unknown> & { build: { context: string; dockerfile: string }; ports: string[] }
  >;
  volumes: Record<string, unknown>;
};

test('the compose file builds that image, keeps the data in a volume, and publishes nothing beyond this machine', () => {
  const { services, volumes } = parse(text('compose.yaml')) as Compose;
  expect(Object.keys(services)).toEqual(['helix-org']);
  const service = services['helix-org']!;
  const last = dockerfile().at(-1)!;
  expect(existsSync(join(repository, 'deploy', service.build.context, service.build.dockerfile))).toBe(true);
  expect(join(repository, 'deploy', service.build.context, '/')).toBe(join(repository, '/'));
  const [port] = instructions(last, 'EXPOSE');
  expect(service.ports).toEqual([`127.0.0.1:${port}:${port}`]);
  // Its own words would hide those of the image; flags of the operator come after them.
  expect(service.command).toBe(`${words(last, 'CMD').join(' ')} \${HELIX_SERVE_FLAGS:-}`);
  expect(service.volumes).toEqual([`data:${instructions(last, 'VOLUME')[0]}`]);
  expect(volumes).toEqual({ data: null });
  expect(service).toMatchObject({
    init: true,
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  });
  expect(service).not.toHaveProperty('privileged');
  expect(JSON.stringify(service.environment)).not.toContain('=');
});

describe('the unit', () => {
  const unit = text('helix-org.service');
  const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

  test('starts what npm installs, with flags that serve has, as a user of its own, in its own folder', () => {
    const [program, command] = (value('ExecStart') ?? '').split(' ');
    expect(program).toBe('/opt/helix-org/node_modules/.bin/helix-org');
    expect(command).toBe('serve');
    expect(knownFlags()).toEqual(expect.arrayContaining(flagsIn(value('ExecStart') ?? '')));
    expect(value('User')).toBe('helix-org');
    expect(value('Environment')).toContain(`HELIX_ORG_HOME=/var/lib/${value('StateDirectory')}`);
    expect(value('NoNewPrivileges')).toBe('yes');
  });

  test('and the image give Node the same option, which it takes', () => {
    const option = /NODE_OPTIONS=(\S+)/;
    const [given, image] = [option.exec(unit)?.[1], option.exec(text('Dockerfile'))?.[1]];
    expect(given).toBe('--max-semi-space-size=8');
    expect(image).toBe(given);
    const { status, stderr } = spawnSync(process.execPath, ['-e', '0'], { env: { NODE_OPTIONS: given } });
    expect([status, stderr.toString()]).toEqual([0, '']);
  });

  test('leaves it the time it needs to stop, and lets it stop its runs itself', () => {
    expect(value('KillMode')).toBe('mixed');
    expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(10);
  });

  test('takes away nothing that agents and their sandboxes need', () => {
    for (const name of ['RestrictNamespaces', 'MemoryDenyWriteExecute', 'ProtectKernelTunables', 'ProtectProc'])
      expect(value(name)).toBeUndefined();
    expect(value('RestrictAddressFamilies')?.split(' ')).toContain('AF_NETLINK');
    expect(value('SystemCallFilter')).not.toMatch(/@mount|@privileged|@process/);
  });

  const verifier = spawnSync('systemd-analyze', ['--version']);
  test.skipIf(verifier.status !== 0)('has nothing that systemd does not know', () => {
    // What it starts is not installed here, and would be missed.
    const copy = folder({ 'helix-org.service': unit.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true') });
    const said = spawnSync('systemd-analyze', ['verify', join(copy, 'helix-org.service')], { encoding: 'utf8' });
    expect(said).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});
