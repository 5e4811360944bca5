import type { Prompt } from './define-prompt.ts';
import { help } from './help.ts';
import { role } from './role.ts';

/** Every prompt there is. */
export const promptCatalog: readonly Prompt[] = [help, role];
