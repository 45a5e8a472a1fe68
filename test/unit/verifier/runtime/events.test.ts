/** The listeners of a product. */
import { describe, expect, it } from 'vitest';
import { Listeners } from '../../../../verifier/runtime/events.ts';
import { notice } from '../../../../verifier/runtime/notices.ts';
import { thrown } from '../../../support/thrown.ts';

const refusal = notice('lapsed', 'it is over');

describe('the listeners of a product', () => {
  it('are called in their order, each by its name, until they are removed', () => {
    const listeners = new Listeners();
    const heard: string[] = [];
    const remove = listeners.add('refused', ({ code }) => heard.push(`first ${code}`));
    listeners.add('refused', ({ code }) => heard.push(`second ${code}`));
    listeners.add('warning', ({ code }) => heard.push(`warning ${code}`));
    listeners.call('refused', refusal);
    expect(heard).toEqual(['first lapsed', 'second lapsed']);
    remove();
    listeners.call('refused', refusal);
    listeners.call('change', undefined as never);
    expect(heard.slice(2)).toEqual(['second lapsed']);
  });

  it('are all called where one throws, and where one adds another, which is called next time', () => {
    const listeners = new Listeners();
    const heard: string[] = [];
    listeners.add('refused', () => {
      heard.push('first');
      if (heard.length === 1) listeners.add('refused', () => heard.push('added'));
      throw new Error('of the product');
    });
    listeners.add('refused', () => heard.push('second'));
    listeners.call('refused', refusal);
    expect(heard).toEqual(['first', 'second']);
    listeners.call('refused', refusal);
    expect(heard.slice(2)).toEqual(['first', 'second', 'added']);
  });

  it('are called later, after the code that opened the license could add them', async () => {
    const listeners = new Listeners();
    const heard: string[] = [];
    listeners.callLater('refused', refusal);
    listeners.add('refused', ({ code }) => heard.push(code));
    expect(heard).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(heard).toEqual(['lapsed']);
  });

  it('are functions', () => {
    const error = thrown(() => new Listeners().add('change', 'a text' as never));
    expect([error.code, error.message]).toEqual(['usage', "on('change') takes a function"]);
  });
});
