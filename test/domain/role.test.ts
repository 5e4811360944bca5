import { describe, test } from 'vitest';
import { TEXT_MAX } from '../../src/domain/role.ts';
import { founded, given, position, role } from '../support/given.ts';

describe('CreateRole', () => {
  test('records the Role with its text as it is', () => {
    const content = '# Clerk\r\n\n "quoted" 日本 \ud83d\n';
    given(founded)
      .when('w-owner', { type: 'CreateRole', roleId: 'r-clerk', content })
      .then({ type: 'RoleCreated', roleId: 'r-clerk', content });
  });

  test('is refused when the Role exists', () => {
    given(founded, role())
      .when('w-owner', { type: 'CreateRole', roleId: 'r-clerk', content: 'x' })
      .refused('conflict', /^Role r-clerk already exists; use update_role to change it or pick another id\.$/);
  });

  test('is refused with an id of another noun, a blank text, or one too long for a prompt', () => {
    const org = given(founded);
    const create = (roleId: string, content: string) => org.when('w-owner', { type: 'CreateRole', roleId, content });
    create('p-clerk', 'x').refused('invalid', /^"p-clerk" is not a Role id/);
    create('r-clerk', ' \n\t').refused('invalid', /^role content is empty$/);
    create('r-clerk', 'x'.repeat(TEXT_MAX + 1)).refused('invalid', /262145 characters long; at most 262144/);
    create('r-clerk', 'x'.repeat(TEXT_MAX)).records('RoleCreated');
  });

  test('may take the id of a Role that was deleted', () => {
    given(founded, role(), ['w-owner', { type: 'DeleteRole', roleId: 'r-clerk' }])
      .when('w-owner', { type: 'CreateRole', roleId: 'r-clerk', content: 'New.' })
      .records('RoleCreated');
  });
});

describe('UpdateRole', () => {
  test('records the new text', () => {
    given(founded, role())
      .when('w-owner', { type: 'UpdateRole', roleId: 'r-clerk', content: 'Shout.' })
      .then({ type: 'RoleUpdated', roleId: 'r-clerk', content: 'Shout.' });
  });

  test('is refused for an unknown Role with the nearest one', () => {
    given(founded, role())
      .when('w-owner', { type: 'UpdateRole', roleId: 'r-clerc', content: 'x' })
      .refused('not_found', /did you mean r-clerk\? role "r-clerc": record not found$/);
  });

  test('is refused with a blank text', () => {
    given(founded, role())
      .when('w-owner', { type: 'UpdateRole', roleId: 'r-clerk', content: '' })
      .refused('invalid', /^role content is empty$/);
  });
});

describe('DeleteRole', () => {
  test('records the deletion', () => {
    given(founded, role())
      .when('w-owner', { type: 'DeleteRole', roleId: 'r-clerk' })
      .then({ type: 'RoleDeleted', roleId: 'r-clerk' });
  });

  test('is refused while Positions use it, naming them', () => {
    given(founded, role(), position('p-a'), position('p-b'))
      .when('w-owner', { type: 'DeleteRole', roleId: 'r-clerk' })
      .refused('conflict', /^Role r-clerk is used by p-a, p-b; delete or change those Positions first\.$/);
  });

  test("is refused for the owner's Role and for one that is not there", () => {
    const org = given(founded);
    org.when('w-owner', { type: 'DeleteRole', roleId: 'r-owner' }).refused('conflict', /^r-owner cannot be deleted/);
    org.when('w-owner', { type: 'DeleteRole', roleId: 'r-none' }).refused('not_found', 'record not found');
  });
});
