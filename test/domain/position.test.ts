import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/domain/decide.ts';
import { OrgError } from '../../src/domain/errors.ts';
import { evolve } from '../../src/domain/evolve.ts';
import type { Command } from '../../src/domain/org.ts';
import { AT, fired, founded, given, hired, idOf, position, role, TOOLS } from '../support/given.ts';

const tree = [founded, role(), position('p-a'), position('p-b', 'p-a'), position('p-c', 'p-b')] as const;

describe('CreatePosition', () => {
  test('records the Position in its place', () => {
    given(founded, role())
      .when('w-owner', { type: 'CreatePosition', positionId: 'p-a', roleId: 'r-clerk', parentId: 'p-root' })
      .then({ type: 'PositionCreated', positionId: 'p-a', roleId: 'r-clerk', parentId: 'p-root' });
  });

  const create = (positionId: string, roleId: string, parentId: string | null): Command => ({
    type: 'CreatePosition',
    positionId,
    roleId,
    parentId,
  });

  test.each([
    ['it exists', create('p-a', 'r-clerk', null), 'conflict', /^Position p-a already exists; pick another id\.$/],
    ['its id is of another noun', create('w-a', 'r-clerk', null), 'invalid', /^"w-a" is not a Position id/],
    ['its Role does not exist', create('p-z', 'r-clark', null), 'not_found', /did you mean r-clerk\?/],
    [
      'its parent does not exist',
      create('p-z', 'r-clerk', 'p-nowhere'),
      'not_found',
      /parent "p-nowhere": record not found$/,
    ],
    ['it is its own parent', create('p-z', 'r-clerk', 'p-z'), 'conflict', /^position cannot be its own parent$/],
  ] as const)('is refused when %s', (_when, command, code, sentence) => {
    given(...tree)
      .when('w-owner', command)
      .refused(code, sentence);
  });
});

describe('UpdatePosition', () => {
  test('records Role and place as they are afterwards', () => {
    given(...tree, role('r-boss'))
      .when('w-owner', { type: 'UpdatePosition', positionId: 'p-b', roleId: 'r-boss' })
      .then({ type: 'PositionUpdated', positionId: 'p-b', roleId: 'r-boss', parentId: 'p-a' });
    given(...tree)
      .when('w-owner', { type: 'UpdatePosition', positionId: 'p-c', parentId: 'p-a' })
      .then({ type: 'PositionUpdated', positionId: 'p-c', roleId: 'r-clerk', parentId: 'p-a' });
  });

  test('stays quiet when nothing changes', () => {
    given(...tree)
      .when('w-owner', { type: 'UpdatePosition', positionId: 'p-b', roleId: 'r-clerk', parentId: 'p-a' })
      .staysQuiet();
  });

  test.each([
    ['p-a', 'p-c', /^Position p-c is below p-a; it cannot also be its parent\.$/],
    ['p-a', 'p-b', /^Position p-b is below p-a/],
    ['p-a', 'p-a', /^position cannot be its own parent$/],
  ])('is refused when %s would come below itself, at %s', (positionId, parentId, sentence) => {
    given(...tree)
      .when('w-owner', { type: 'UpdatePosition', positionId, parentId })
      .refused('conflict', sentence);
  });

  test("is refused for the owner's seat and for what is not there", () => {
    const org = given(...tree);
    const update = (positionId: string, fields: object) =>
      org.when('w-owner', { type: 'UpdatePosition', positionId, ...fields });
    update('p-root', { roleId: 'r-clerk' }).refused('conflict', /^p-root cannot be changed/);
    update('p-none', {}).refused('not_found', 'record not found');
    update('p-a', { roleId: 'r-none' }).refused('not_found', /role "r-none"/);
    update('p-a', { parentId: 'p-none' }).refused('not_found', /parent "p-none"/);
  });
});

describe('DeletePosition', () => {
  test('records the deletion of one that nobody holds and that has nothing below', () => {
    given(...tree)
      .when('w-owner', { type: 'DeletePosition', positionId: 'p-c' })
      .then({ type: 'PositionDeleted', positionId: 'p-c' });
    given(...tree, hired('w-ada', { positionId: 'p-c' }), fired('w-ada'))
      .when('w-owner', { type: 'DeletePosition', positionId: 'p-c' })
      .records('PositionDeleted');
  });

  test('is refused while it is held, has others below it, is the root, or does not exist', () => {
    const org = given(...tree, hired('w-ada', { positionId: 'p-c' }));
    const remove = (positionId: string) => org.when('w-owner', { type: 'DeletePosition', positionId });
    remove('p-c').refused('conflict', /^Position p-c is held by w-ada; fire or move them first\.$/);
    remove('p-b').refused('conflict', /^Position p-b has p-c below it; move or delete those first\.$/);
    remove('p-root').refused('conflict', /^p-root cannot be deleted/);
    remove('p-none').refused('not_found', 'record not found');
  });
});

test('however Positions are made and moved, they stay a tree', () => {
  const ids = fc.integer({ min: 0, max: 7 }).map((n) => (n === 0 ? 'p-root' : `p-${n}`));
  const move = fc.record({ create: fc.boolean(), positionId: ids, parentId: fc.option(ids) });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const { org } = given(founded, role());
      for (const { create, ...command } of moves) {
        const whole: Command = create
          ? { type: 'CreatePosition', roleId: 'r-clerk', ...command }
          : { type: 'UpdatePosition', ...command };
        const context = {
          actor: 'w-owner',
          seq: 1,
          at: AT,
          hops: 0,
          root: 1,
          limits: { maxHops: 1 },
          tools: TOOLS,
          eventId: idOf,
          routes: () => [],
        };
        try {
          for (const event of decide(org, whole, context)) evolve(org, event, { ...context, actor: 'w-owner' });
        } catch (error) {
          expect(error).toBeInstanceOf(OrgError);
        }
      }
      for (const id of org.positions.keys()) {
        const seen = new Set<string>();
        for (let above: string | null = id; above !== null; above = org.positions.get(above)!.parentId) {
          expect(seen.has(above)).toBe(false);
          seen.add(above);
        }
      }
    }),
  );
});
