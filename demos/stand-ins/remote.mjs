// A git repository on this disk, where the one on GitHub would be: agents clone it and push to it with the real git.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param files of the first commit, by name */
export function makeRemote(directory, files) {
  const bare = join(directory, 'remote.git');
  const work = join(directory, 'remote-work');
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  mkdirSync(work, { recursive: true });
  git('init', '--quiet', '--bare', '--initial-branch=main', bare);
  git('init', '--quiet', '--initial-branch=main', work);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(work, name), text);
  git('-C', work, 'add', '.');
  const who = ['-c', 'user.name=Codertocat', '-c', 'user.email=codertocat@example.com', '-c', 'commit.gpgsign=false'];
  git('-C', work, ...who, 'commit', '--quiet', '--message', 'Begin');
  git('-C', work, 'push', '--quiet', bare, 'main');
  return {
    url: bare,
    branches: () => git('-C', bare, 'branch', '--format=%(refname:short)').split('\n'),
    /** How many commits a branch has. */
    commits: (branch) => Number(git('-C', bare, 'rev-list', '--count', branch)),
    /** Of the newest commit of a branch. */
    message: (branch) => git('-C', bare, 'log', '-1', '--format=%B', branch),
  };
}
