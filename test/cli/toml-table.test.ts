import { describe, expect, it } from 'vitest';
import { removeTable, setTable, tableOf } from '../../src/cli/toml-table.ts';

const NAME = ['mcp_servers', 'helix-org'];
const PAIRS = { url: '"http://h/workers/w-owner/mcp"', http_headers: '{ Authorization = "Bearer hxo_x" }' };
const TABLE = `[mcp_servers.helix-org]\nurl = ${PAIRS.url}\nhttp_headers = ${PAIRS.http_headers}\n`;

/** What trips up those who look for lines that begin with a bracket. */
const OTHERS = `# My settings
model = "gpt"   # why not
notify = [
  ["a", "]"], # [mcp_servers.helix-org]
  ['b'],
]
prompt = """
[mcp_servers.helix-org]
url = "not this"
"quoted" \\""" """
literal = '''
[mcp_servers.helix-org]'''
"odd.key" . 'x' = { a = [1, 2], "b c" = '}' }
date = 1979-05-27T07:32:00Z

[mcp_servers.other]
command = "x"
args = ["[mcp_servers.helix-org]"]

[mcp_servers.other.env]
A = "1"

[[profiles]]
name = "one"

# About the second.
[[profiles]]
name = "two"`;

describe('a table', () => {
  it('is added at the end, in a file that is empty, or ends without a line break', () => {
    expect(setTable('', NAME, PAIRS)).toBe(TABLE);
    expect(setTable('a = 1\n', NAME, PAIRS)).toBe(`a = 1\n\n${TABLE}`);
    expect(setTable(OTHERS, NAME, PAIRS)).toBe(`${OTHERS}\n\n${TABLE}`);
    expect(setTable('a = 1\r\n', NAME, PAIRS)).toBe(`a = 1\r\n\r\n${TABLE.replaceAll('\n', '\r\n')}`);
  });

  it('is found among everything that only looks like it', () => {
    expect(tableOf(OTHERS, NAME)).toBeUndefined();
    expect(tableOf(setTable(OTHERS, NAME, PAIRS), NAME)).toEqual(PAIRS);
    expect(tableOf(OTHERS, ['mcp_servers', 'other'])).toEqual({ command: '"x"', args: '["[mcp_servers.helix-org]"]' });
  });

  it('is written the same again, and taken away whole', () => {
    const file = `${OTHERS}\n`;
    const once = setTable(file, NAME, PAIRS);
    expect(setTable(once, NAME, PAIRS)).toBe(once);
    expect(removeTable(once, NAME)).toBe(file);
    expect(removeTable(file, NAME)).toBe(file);
  });

  it('keeps what its owner added, and the comments around it', () => {
    const before = `a = 1\n\n# Ours.\n[ mcp_servers . "helix-org" ] # here\nurl = "old" # where\nstartup_timeout_sec = 5\nbearer_token_env_var = "X"\n\n# Next.\n[other]\nb = 2\n`;
    const after = setTable(before, NAME, { ...PAIRS, bearer_token_env_var: undefined });
    expect(after).toBe(
      before
        .replace('# here\n', `# here\nhttp_headers = ${PAIRS.http_headers}\n`)
        .replace('"old"', PAIRS.url)
        .replace('bearer_token_env_var = "X"\n', ''),
    );
    expect(removeTable(after, NAME)).toBe('a = 1\n\n# Ours.\n\n# Next.\n[other]\nb = 2\n');
  });

  it('goes with the tables below it', () => {
    const file = `a = 1\n\n${TABLE}\n[mcp_servers.helix-org.tools.publish]\napproval_mode = "approve"\n\n[other]\nb = 2\n`;
    expect(removeTable(file, NAME)).toBe('a = 1\n\n[other]\nb = 2\n');
    expect(setTable(file, NAME, PAIRS)).toBe(file);
  });

  it.each([
    '[mcp_servers]\nhelix-org = { url = "x" }\n',
    'mcp_servers.helix-org.url = "x"\n',
    'mcp_servers = { helix-org = { url = "x" } }\n',
    '[mcp_servers]\nhelix-org.url = "x"\n',
    '[[mcp_servers.helix-org]]\nurl = "x"\n',
  ])('that is written in another form is not touched: %s', (file) => {
    expect(() => setTable(file, NAME, PAIRS)).toThrow(TypeError);
    expect(() => removeTable(file, NAME)).toThrow(TypeError);
  });

  it.each(['a = "x\n', '[a\n', 'a = [1\n', 'a\n', '= 1\n', "a = '''x\n"])(
    'is not added to what is no TOML: %s',
    (file) => {
      expect(() => setTable(file, NAME, PAIRS)).toThrow(SyntaxError);
    },
  );
});
