/**
 * The trigger blocks of a prompt: `name: value` lines become properties (`kind` is `hire` or `request`, absent for an
 * Event), and the indented texts `body`, `reason` and `extra`.
 */
export function triggersIn(prompt) {
  return [...prompt.matchAll(/=== Trigger ===\n([\s\S]*?)\n=== end trigger ===/g)].map(([, block]) => {
    const trigger = { body: '' };
    let indented;
    for (const line of block.split('\n')) {
      if (indented && (line.startsWith('    ') || line.startsWith('[cut:'))) {
        trigger[indented] += `${trigger[indented] ? '\n' : ''}${line.slice(4)}`;
        continue;
      }
      indented = /^(body|extra|reason):$/.exec(line)?.[1];
      if (indented) trigger[indented] = '';
      const field = /^([a-z_]+): (.*)$/.exec(line);
      if (field) trigger[field[1]] = field[2];
    }
    return trigger;
  });
}

/** The file of a Role's script: `doc-engineer` for `# Role: Doc engineer`. */
export function scriptOf(role) {
  const title = /^# (?:Role: )?(.+)$/m.exec(role)?.[1] ?? '';
  return title
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
}
