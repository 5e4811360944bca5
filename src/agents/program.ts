import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

/** Where a program is found on a search path, or why it cannot be run. */
export async function findProgram(name: string, path: string): Promise<{ file: string } | { problem: string }> {
  const candidates = name.includes('/') ? [name] : path.split(delimiter).map((folder) => join(folder || '.', name));
  let problem = 'no such program';
  for (const file of candidates) {
    const found = await stat(file).catch(() => undefined);
    if (!found) continue;
    const isExecutable =
      found.isFile() &&
      (await access(file, constants.X_OK).then(
        () => true,
        () => false,
      ));
    if (isExecutable) return { file };
    problem = found.isFile() ? 'not executable' : 'not a program';
  }
  return { problem };
}

/** The `exit` of a run whose program could not be started, and whether that is the agent's fault or this Worker's. */
export async function startProblem(error: NodeJS.ErrnoException, name: string, folder: string) {
  if (name === '') return { exit: 'cannot start: no program is set', agentFault: true };
  const cannotStart = `cannot start ${JSON.stringify(name)}`;
  const isFolderUsable = await access(folder, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isFolderUsable) return { exit: `${cannotStart}: the folder ${folder} cannot be entered` };
  // The Worker's HOME cannot be made, or its arguments and environment are too large or hold a NUL.
  if (!error.syscall?.startsWith('spawn') || error.code === 'E2BIG')
    return { exit: `${cannotStart}: ${error.message}` };
  const file = isAbsolute(name) ? name : join(folder, name);
  const found = await findProgram(name.includes('/') ? file : name, process.env.PATH ?? '');
  const reason =
    'problem' in found ? found.problem : error.code === 'ENOENT' ? 'its interpreter is missing' : error.message;
  return { exit: `${cannotStart}: ${reason}`, agentFault: true };
}
