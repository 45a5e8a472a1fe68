/**
 * Writes docs/messages.md from the source code: after a change of any message.
 *
 *   node test/docs/make-messages.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './messages/syntax.ts';
import { messagesPage } from './messages/messages-page.ts';

writeFileSync(join(ROOT, 'docs/messages.md'), messagesPage());
