// A daemon in this process with a real agent program that follows a script, and an owner who makes Workers for it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Daemon, startDaemon } from '../../src/cli/daemon.ts';
import { dataPaths } from '../../src/cli/data-dir.ts';
import { createProcesses } from '../../src/store/processes.ts';
import type { ActivationRow } from '../../src/store/queries.ts';
import { temporaryDirectory, waitFor } from '../support/daemon.ts';
import type { ContractAgent } from './contract-agents.ts';
import type { Script } from './script.ts';

export type HireOptions = { grants?: string[]; streams?: string[]; role?: string };

export type AgentStage = Awaited<ReturnType<typeof agentStage>>;

export async function agentStage(agent: ContractAgent, script: Script, settings: Record<string, unknown> = {}) {
  const following = await agent.follow(script);
  onTestFinished(following.close);
  const daemon: Daemon = await startDaemon({
    paths: dataPaths({ dataDir: temporaryDirectory() }, {}),
    address: { host: '127.0.0.1', port: 0 },
    durability: 'normal',
    settings: { ...following.settings, 'dispatch.attempts': 1, ...settings },
  });
  onTestFinished(() => daemon.stop());
  if (following.login) daemon.settings.setSecret(`login.${agent.kind}`, JSON.stringify(following.login));
  await daemon.recovered;
  const { queries, paths } = daemon;
  const processes = createProcesses(daemon.db);

  async function call(tool: string, args: object = {}): Promise<Record<string, unknown>> {
    const outcome = await daemon.door.call({ workerId: 'w-owner', via: 'mcp' }, tool, args);
    if (outcome.kind !== 'ok') throw new Error(outcome.kind === 'refused' ? outcome.message : `no tool ${tool}`);
    return outcome.result;
  }
  const lines = (workerId: string) => queries.events([`s-activations-${workerId}`], { limit: 10_000 }).reverse();

  return {
    daemon,
    call,
    /** A Stream that takes webhooks, and an AI Worker; its hire is over. */
    async hire(workerId: string, { grants = ['publish'], streams = ['s-in'], role = 'Answer.' }: HireOptions = {}) {
      const name = workerId.slice(2);
      for (const id of streams)
        if (!queries.stream(id)) await call('create_stream', { id, name: id, transport: 'webhook' });
      await call('create_role', { id: `r-${name}`, content: `# Role: ${name}\n\n${role}` });
      await call('create_position', { id: `p-${name}`, roleId: `r-${name}`, parentId: 'p-root' });
      const hire = { id: workerId, positionId: `p-${name}`, kind: 'ai', identityContent: `I am ${name}.`, streams };
      await call('hire_worker', { ...hire, grants: grants.map((toolName) => ({ toolName })) });
    },
    /** What comes from outside. */
    async post(body: string, streamId = 's-in'): Promise<void> {
      const response = await fetch(`${daemon.url}/webhooks/${streamId}`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body,
      });
      if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
    },
    /** A Worker's activations, oldest first. */
    activations: (workerId: string) => queries.activationsOf(workerId, 100).reverse(),
    /** The n-th activation of a Worker, counted from 0, when it has ended. */
    ended: (workerId: string, n: number): Promise<ActivationRow> =>
      waitFor(`run ${n} of ${workerId} has ended`, () => {
        const run = queries.activationsOf(workerId, 100).reverse()[n];
        return run && run.state !== 'running' ? run : undefined;
      }),
    lines,
    /** Bodies of a Worker's transcript, oldest first. */
    transcript: (workerId: string) => lines(workerId).map(({ body }) => body),
    /** The process of a Worker that runs, when it has its environment, which it has not while it becomes another program. */
    process: (workerId: string) =>
      waitFor(`${workerId} runs`, () => {
        const found = processes.list().find(({ worker }) => worker === workerId);
        return found && isAlive(found.pid) && environmentOf(found.pid).HELIX_WORKER_ID ? found : undefined;
      }),
    folder: (workerId: string) => join(paths.envsDir, workerId),
    /** What the owner published or others did, on a Stream, oldest first. */
    bodies: (streamId: string) =>
      queries
        .events([streamId], { limit: 1_000 })
        .map(({ body }) => body)
        .reverse(),
    notices: () => queries.events(['s-notices'], { limit: 100 }).map(({ message }) => message?.subject ?? ''),
  };
}

/** Variables of a process, as the system shows them. */
export function environmentOf(pid: number): Record<string, string> {
  const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

export const isAlive = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
