// The org as a plain reader of the rules would keep it: sets and maps, one method per tool that changes something, each either
// changing them or refusing. Nothing of src is used, so that the two can only agree by both being right.

export type Refusable = true | 'refused';
type Kind = 'human' | 'ai';
type WorkerModel = {
  kind: Kind;
  positions: string[];
  identity: string;
  agent: AgentModel;
  hirer: string;
  paused: boolean;
  fired: boolean;
  tools: Set<string>;
};
type StreamModel = {
  name: string;
  purpose: 'open' | 'dm' | 'transcript' | 'notices';
  isPrivate: boolean;
  hold: boolean;
  deleted: boolean;
  members: string[];
  listeners: Set<string>;
};
type EventModel = { stream: string; by: string; state: 'plain' | 'held' | 'done'; redacted: boolean };
type AgentModel = { kind?: string; model?: string; command?: string[]; runSeconds?: number };
/** What the tools take, all together; each reads its own. */
type Args = Record<
  | 'id'
  | 'roleId'
  | 'content'
  | 'positionId'
  | 'identityContent'
  | 'workerId'
  | 'toolName'
  | 'streamId'
  | 'name'
  | 'body'
  | 'toWorkerId',
  string
> & { kind: Kind; parentId?: string; private?: boolean; hold?: boolean; agent?: AgentModel | null } & Record<
    'grants' | 'streams' | 'positions' | 'workerIds',
    string[]
  >;
export type Call = { tool: string; caller: string; hops: number; args: Record<string, unknown> };

const ID = /^[a-z]-[a-z0-9][a-z0-9_-]{0,45}$/;
const MAX_HOPS = 8;

export class ReferenceOrg {
  readonly roles = new Map<string, string>();
  readonly positions = new Map<string, { role: string; parent: string | null }>([
    ['p-root', { role: 'r-owner', parent: null }],
  ]);
  readonly workers = new Map<string, WorkerModel>();
  readonly streams = new Map<string, StreamModel>();
  readonly events = new Map<string, EventModel>();
  paused = false;
  readonly #tools: ReadonlySet<string>;

  /** @param owner the texts the org was founded with */
  constructor(tools: readonly string[], owner: { role: string; identity: string }) {
    this.roles.set('r-owner', owner.role);
    this.#tools = new Set(tools);
    this.workers.set('w-owner', {
      kind: 'human',
      positions: ['p-root'],
      identity: owner.identity,
      hirer: 'system',
      paused: false,
      fired: false,
      tools: new Set(tools),
      agent: {},
    });
    this.streams.set('s-notices', { ...this.#newStream('Notices'), purpose: 'notices', isPrivate: true });
    this.#listen('w-owner', 's-notices');
  }

  /** What the call must come to. An id that the daemon made up is told afterwards, by {@link published}. */
  call({ tool, caller, hops, args }: Call): Refusable {
    const worker = this.workers.get(caller);
    if (!worker || worker.fired || !worker.tools.has(tool)) return 'refused';
    const act = this.#acts[tool];
    if (!act) throw new Error(`the reference does not know ${tool}`);
    return act(args as Args, caller, this.#steps(caller, hops));
  }

  published(id: string, { tool, caller, hops, args }: Call, dmStream: string): void {
    const stream = tool === 'dm' ? dmStream : (args.streamId as string);
    if (tool === 'dm' && !this.streams.has(stream)) {
      const members = [caller, args.toWorkerId as string].sort();
      this.streams.set(stream, { ...this.#newStream(stream), purpose: 'dm', isPrivate: true, members });
    }
    if (tool === 'dm') for (const id of [caller, args.toWorkerId as string]) this.#listen(id, stream);
    const state = this.#steps(caller, hops) > MAX_HOPS && this.#wakes(stream, caller) ? 'held' : 'plain';
    this.events.set(id, { stream, by: caller, state, redacted: false });
  }

  mayRead(worker: string, streamId: string): boolean {
    const stream = this.streams.get(streamId);
    const reader = this.workers.get(worker);
    if (!stream || !reader || reader.fired) return false;
    if (worker === 'w-owner') return true;
    if (stream.purpose === 'open') return !stream.isPrivate || stream.listeners.has(worker);
    return stream.purpose === 'notices' ? stream.listeners.has(worker) : stream.members.includes(worker);
  }

  readonly #acts: Record<string, (args: Args, caller: string, hops: number) => Refusable> = {
    create_role: ({ id, content }) => {
      if (!ID.test(id) || !/^r-/.test(id) || blank(content) || this.roles.has(id)) return 'refused';
      this.roles.set(id, content);
      return true;
    },
    update_role: ({ roleId, content }, caller) => {
      if (!this.roles.has(roleId) || blank(content) || (roleId === 'r-owner' && caller !== 'w-owner')) return 'refused';
      this.roles.set(roleId, content);
      return true;
    },
    delete_role: ({ id }) => {
      const isUsed = [...this.positions.values()].some(({ role }) => role === id);
      if (!this.roles.has(id) || id === 'r-owner' || isUsed) return 'refused';
      this.roles.delete(id);
      return true;
    },
    create_position: ({ id, roleId, parentId }) => {
      if (!/^p-/.test(id) || this.positions.has(id) || !this.roles.has(roleId)) return 'refused';
      if (parentId !== undefined && !this.positions.has(parentId)) return 'refused';
      this.positions.set(id, { role: roleId, parent: parentId ?? null });
      return true;
    },
    update_position: ({ id, roleId, parentId }) => {
      const position = this.positions.get(id);
      if (!position || id === 'p-root' || (roleId !== undefined && !this.roles.has(roleId))) return 'refused';
      const parent = parentId === undefined ? position.parent : parentId === 'none' ? null : parentId;
      if (parent !== null && (!this.positions.has(parent) || this.#isBelow(parent, id))) return 'refused';
      Object.assign(position, { role: roleId ?? position.role, parent });
      return true;
    },
    delete_position: ({ id }) => {
      const isHeld = [...this.workers.values()].some(({ positions }) => positions.includes(id));
      const hasChildren = [...this.positions.values()].some(({ parent }) => parent === id);
      if (!this.positions.has(id) || id === 'p-root' || isHeld || hasChildren) return 'refused';
      this.positions.delete(id);
      return true;
    },
    hire_worker: ({ id, positionId, kind, identityContent, grants, streams }, caller, hops) => {
      if (!/^w-/.test(id) || this.workers.has(id) || !this.positions.has(positionId) || blank(identityContent))
        return 'refused';
      if (kind === 'ai' && hops > MAX_HOPS) return 'refused';
      if (grants.some((tool) => !this.#mayGive(caller, tool))) return 'refused';
      if (streams.some((streamId) => !this.#mayListen(id, streamId, caller))) return 'refused';
      this.workers.set(id, {
        kind,
        positions: [positionId],
        identity: identityContent,
        hirer: caller,
        paused: false,
        fired: false,
        tools: new Set(),
        agent: {},
      });
      for (const tool of grants) this.workers.get(id)?.tools.add(tool);
      for (const streamId of streams) this.#listen(id, streamId);
      if (kind === 'ai') {
        const transcript = { ...this.#newStream(`Activations: ${id}`), purpose: 'transcript' as const };
        this.streams.set(`s-activations-${id}`, { ...transcript, members: [id, caller] });
        this.#listen(caller, `s-activations-${id}`);
      }
      return true;
    },
    update_identity: ({ workerId, content }, caller) => {
      const worker = this.#employed(workerId);
      if (!worker || blank(content) || (workerId === 'w-owner' && caller !== 'w-owner')) return 'refused';
      worker.identity = content;
      return true;
    },
    update_agent: ({ workerId, agent }, caller) => {
      const worker = this.#employed(workerId);
      if (worker?.kind !== 'ai' || agent === undefined || agent?.kind === 'puppet') return 'refused';
      const setsCommand = agent === null ? worker.agent.command : agent.command && !worker.agent.command;
      if (setsCommand && caller !== 'w-owner') return 'refused';
      if (agent === null) worker.agent = {};
      else {
        const kind = agent.command ? 'command' : (agent.kind ?? worker.agent.kind);
        const { command, model, ...kept } = worker.agent;
        const before = kind === worker.agent.kind ? { ...worker.agent } : kept;
        worker.agent = { ...before, ...agent, ...(kind === undefined ? {} : { kind }) };
      }
      return true;
    },
    move_worker: ({ workerId, positions }) => {
      const worker = this.#employed(workerId);
      if (!worker || workerId === 'w-owner' || positions.some((id) => !this.positions.has(id))) return 'refused';
      if (new Set(positions).size < positions.length) return 'refused';
      worker.positions = positions;
      return true;
    },
    pause_worker: ({ workerId }) => this.#setPaused(workerId, true),
    resume_worker: ({ workerId }) => this.#setPaused(workerId, false),
    activate_worker: ({ workerId }, _caller, hops) =>
      this.#employed(workerId)?.kind === 'ai' && hops <= MAX_HOPS ? true : 'refused',
    fire_worker: ({ workerId }) => {
      const worker = this.#employed(workerId);
      if (!worker || workerId === 'w-owner') return 'refused';
      Object.assign(worker, { fired: true, positions: [], tools: new Set() });
      for (const { listeners } of this.streams.values()) listeners.delete(workerId);
      return true;
    },
    grant_tool: ({ workerId, toolName }, caller) => {
      if (!this.#employed(workerId) || !this.#mayGive(caller, toolName)) return 'refused';
      this.workers.get(workerId)?.tools.add(toolName);
      return true;
    },
    revoke_tool: ({ workerId, toolName }) => {
      const worker = this.workers.get(workerId);
      return workerId !== 'w-owner' && worker?.tools.delete(toolName) ? true : 'refused';
    },
    create_stream: ({ id, name, private: isPrivate }) => {
      if (!/^s-/.test(id) || /^s-(dm|activations|chat)-/.test(id) || this.streams.has(id)) return 'refused';
      if (blank(name) || this.#isTaken(name)) return 'refused';
      this.streams.set(id, { ...this.#newStream(name), isPrivate: isPrivate ?? false });
      return true;
    },
    update_stream: ({ streamId, name, private: isPrivate, hold }, caller) => {
      const stream = this.#open(streamId);
      if (!stream || (stream.purpose !== 'open' && stream.purpose !== 'notices')) return 'refused';
      if (!this.mayRead(caller, streamId)) return 'refused';
      if (name !== undefined && (blank(name) || this.#isTaken(name, streamId))) return 'refused';
      Object.assign(stream, {
        name: name ?? stream.name,
        isPrivate: isPrivate ?? stream.isPrivate,
        hold: hold ?? stream.hold,
      });
      return true;
    },
    // Streams of the model reach nowhere, so they have no secret.
    rotate_secret: () => 'refused',
    delete_stream: ({ streamId }, caller) => {
      const stream = this.#open(streamId);
      if (stream?.purpose !== 'open' || !this.mayRead(caller, streamId)) return 'refused';
      stream.deleted = true;
      stream.listeners.clear();
      return true;
    },
    subscribe: ({ streamId }, caller) => {
      if (!this.#mayListen(caller, streamId, caller)) return 'refused';
      this.#listen(caller, streamId);
      return true;
    },
    unsubscribe: ({ streamId }, caller) => (this.#open(streamId)?.listeners.delete(caller) ? true : 'refused'),
    invite_workers: ({ streamId, workerIds }, caller) => {
      if (
        workerIds.length === 0 ||
        workerIds.some((id) => !this.#employed(id) || !this.#mayListen(id, streamId, caller))
      )
        return 'refused';
      for (const id of workerIds) this.#listen(id, streamId);
      return true;
    },
    publish: ({ streamId, body }, caller) => {
      const stream = this.#open(streamId);
      if (!stream || blank(body) || stream.purpose === 'transcript' || stream.purpose === 'notices') return 'refused';
      if (caller === 'w-owner') return true;
      if (stream.purpose === 'dm' && !stream.members.includes(caller)) return 'refused';
      return stream.isPrivate && !stream.listeners.has(caller) ? 'refused' : true;
    },
    dm: ({ toWorkerId, body }, caller) =>
      toWorkerId !== caller && this.#employed(toWorkerId) && body !== '' ? true : 'refused',
    redact_event: ({ id }, caller) => {
      const event = this.#readable(id, caller);
      if (!event || event.redacted) return 'refused';
      event.redacted = true;
      return true;
    },
    release: ({ id }, caller) => this.#settle(id, caller),
    discard: ({ id }, caller) => this.#settle(id, caller),
    // Nothing runs here, so nothing is ever parked.
    retry: () => 'refused',
    interrupt_worker: ({ workerId }) => (this.#employed(workerId) ? true : 'refused'),
    pause_org: () => {
      this.paused = true;
      return true;
    },
    resume_org: () => {
      this.paused = false;
      return true;
    },
  };

  /** People begin anew; an AI Worker is one step further than what woke it. */
  #steps(caller: string, hops: number): number {
    return this.workers.get(caller)?.kind === 'ai' ? hops + 1 : 0;
  }

  #settle(id: string, caller: string): Refusable {
    const event = this.#readable(id, caller);
    if (event?.state !== 'held') return 'refused';
    event.state = 'done';
    return true;
  }

  #readable(id: string, caller: string): EventModel | undefined {
    const event = this.events.get(id);
    return event && this.mayRead(caller, event.stream) ? event : undefined;
  }

  #setPaused(id: string, paused: boolean): Refusable {
    const worker = this.#employed(id);
    if (!worker || (paused && id === 'w-owner')) return 'refused';
    worker.paused = paused;
    return true;
  }

  #mayGive(by: string, tool: string): boolean {
    const exists = tool.startsWith('agent:') || this.#tools.has(tool);
    return exists && (by === 'w-owner' || this.workers.get(by)?.tools.has(tool) === true);
  }

  #mayListen(worker: string, streamId: string, actor: string): boolean {
    const stream = this.#open(streamId);
    if (!stream || !this.mayRead(actor, streamId)) return false;
    return stream.purpose !== 'dm' || stream.members.includes(worker);
  }

  #listen(worker: string, streamId: string): void {
    this.streams.get(streamId)?.listeners.add(worker);
  }

  #wakes(streamId: string, by: string): boolean {
    const stream = this.streams.get(streamId);
    return [...(stream?.listeners ?? [])].some((id) => id !== by && this.workers.get(id)?.kind === 'ai');
  }

  #employed(id: string): WorkerModel | undefined {
    const worker = this.workers.get(id);
    return worker?.fired ? undefined : worker;
  }

  #open(id: string): StreamModel | undefined {
    const stream = this.streams.get(id);
    return stream?.deleted ? undefined : stream;
  }

  #isTaken(name: string, except?: string): boolean {
    return [...this.streams].some(([id, stream]) => stream.name === name && !stream.deleted && id !== except);
  }

  #isBelow(position: string, above: string): boolean {
    for (let at: string | null = position; at !== null; at = this.positions.get(at)?.parent ?? null)
      if (at === above) return true;
    return false;
  }

  #newStream(name: string): StreamModel {
    return {
      name,
      purpose: 'open',
      isPrivate: false,
      hold: false,
      deleted: false,
      members: [],
      listeners: new Set(),
    };
  }
}

const blank = (text: unknown): boolean => typeof text !== 'string' || text.trim() === '';
