import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memberOf, removeMember, setMember } from '../../src/cli/json-member.ts';

const seed = Number(process.env.HELIX_SEED ?? Math.floor(Math.random() * 2 ** 31));
const PATH = ['mcpServers', 'helix'];
const ENTRY = { type: 'http', url: 'http://h/workers/w-owner/mcp' };

describe('setting a member', () => {
  it('makes a file that is empty or not there', () => {
    expect(setMember('', PATH, ENTRY)).toBe(`${JSON.stringify({ mcpServers: { helix: ENTRY } }, null, 2)}\n`);
    expect(setMember(' \n', ['a'], 1)).toBe('{\n  "a": 1\n}\n');
    expect(setMember('{}\n', ['a'], 1)).toBe('{\n  "a": 1\n}\n');
  });

  it('leaves every other byte as it is, odd ones too', () => {
    const before =
      '\ufeff{\r\n\t"big": 12345678901234567890, "list":[1.10,{"}":"\\"]"}],\r\n\t"mcpServers" : { "other":{"x":[]} },\r\n\t"last":"ü\\u00fc"\r\n}';
    const after = setMember(before, PATH, ENTRY);
    expect(after).toBe(
      before.replace(
        '{"x":[]}',
        `{"x":[]},\r\n\t\t"helix": {\r\n\t\t\t"type": "http",\r\n\t\t\t"url": "${ENTRY.url}"\r\n\t\t}`,
      ),
    );
    expect(memberOf(after, PATH)).toEqual(ENTRY);
  });

  it('replaces the value alone when the member is there, and writes the same bytes again', () => {
    const before = '{\n    "mcpServers": {\n        "helix": {"url": "old"},\n        "z": 1\n    }\n}\n';
    const once = setMember(before, PATH, ENTRY);
    expect(once).toContain('"helix": {\n            "type": "http",');
    expect(setMember(once, PATH, ENTRY)).toBe(once);
    expect(removeMember(once, PATH)).toBe('{\n    "mcpServers": {\n        "z": 1\n    }\n}\n');
  });

  it('stays on one line where the file does', () => {
    expect(setMember('{"a":1}', PATH, { b: 2 })).toBe('{"a":1,"mcpServers":{"helix":{"b":2}}}');
  });

  it('refuses what is no JSON, and objects that are none', () => {
    expect(() => setMember('{"a": }', PATH, 1)).toThrow(SyntaxError);
    expect(() => setMember('// x\n{}', PATH, 1)).toThrow(SyntaxError);
    expect(() => setMember('[]', PATH, 1)).toThrow(TypeError);
    expect(() => setMember('{"mcpServers": 7}', PATH, 1)).toThrow('mcpServers is no object');
  });
});

it(`any JSON object gets the member, loses it again, and keeps the rest (seed ${seed})`, () => {
  // One key with escapes only: JSON.parse of some versions of V8 takes "\"" for "\\" once it has seen an object with the other.
  const plain = fc.string().filter((text) => JSON.stringify(text) === `"${text}"`);
  const key = fc.oneof(fc.constantFrom('mcpServers', 'helix', 'a', '', 'x"}\\', '}', ':'), plain);
  const object = fc.dictionary(key, fc.jsonValue({ maxDepth: 4 }), { maxKeys: 6 });
  fc.assert(
    fc.property(object, fc.constantFrom(undefined, 1, 2, '\t'), fc.boolean(), (made, indent, withServers) => {
      const { mcpServers: _, ...without } = made;
      const text = JSON.stringify(
        withServers ? { ...without, mcpServers: { 'other "one"': made } } : without,
        null,
        indent,
      );
      const before = JSON.parse(text) as Record<string, object>;
      const after = setMember(text, PATH, ENTRY);
      const { mcpServers = {}, ...rest } = before;
      expect(JSON.parse(after)).toEqual({ ...rest, mcpServers: { ...mcpServers, helix: ENTRY } });
      expect(setMember(after, PATH, ENTRY)).toBe(after);
      const removed = removeMember(after, PATH);
      if (withServers) expect(removed).toBe(text);
      else expect(JSON.parse(removed)).toEqual({ ...before, mcpServers: {} });
      expect(removeMember(removed, PATH)).toBe(removed);
    }),
    { seed, numRuns: 500 },
  );
});
