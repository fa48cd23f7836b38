import { type ConnectorContext, ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';

const BASE = 'https://api.example.com';

export default defineConnector({
  name: '__NAME__',
  version: '0.1.0',
  title: '__TITLE__',
  description: 'Reads from a public HTTP API, page by page. Put your own actions here.',
  permissions: { net: ['api.example.com'] },
  actions: {
    get_item: defineAction({
      title: 'Get an item',
      description: 'Reads one item.',
      input: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string', description: 'Id of the item.', pattern: '^[a-z0-9-]+$' } },
        additionalProperties: false,
      },
      output: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
      async run(ctx, input) {
        return await getJson<Item & { id: string }>(ctx, `/items/${input.id}`);
      },
    }),
    list_items: defineAction({
      title: 'List items',
      description: 'Reads all items, page by page.',
      input: {
        type: 'object',
        properties: {
          limit: { type: 'integer', description: 'How many at most.', minimum: 1, maximum: 1000, default: 100 },
        },
        additionalProperties: false,
      },
      output: {
        type: 'object',
        required: ['items'],
        properties: { items: { type: 'array', items: { type: 'object' } } },
      },
      async run(ctx, input) {
        const limit = input.limit ?? 100;
        const items: Item[] = [];
        let page: string | null = '/items';
        while (page !== null && items.length < limit) {
          const answer: Page = await getJson<Page>(ctx, page);
          items.push(...answer.items);
          page = answer.next;
          ctx.progress(Math.min(1, items.length / limit), `${items.length} items`);
        }
        return { items: items.slice(0, limit) };
      },
    }),
  },
});

type Item = Record<string, string | number>;

interface Page {
  readonly items: readonly Item[];
  /** Path of the next page. */
  readonly next: string | null;
}

/** Waits as long as the service asks for, up to three times, while the deadline allows it. */
async function getJson<Answer = Item>(ctx: ConnectorContext, path: string): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const response = await ctx.fetch(BASE + path, { signal: ctx.signal });
    if (response.ok) return (await response.json()) as Answer;
    await response.body?.cancel();
    const wait = 1000 * Number(response.headers.get('retry-after') ?? 1);
    if (response.status === 404) throw new ConnectorError('NOT_FOUND', `${path} is not there`);
    if (response.status !== 429 || attempt === 3 || wait > ctx.remaining()) {
      throw new ConnectorError('API_FAILED', `${path}: the API answered ${response.status}`, {
        retryable: response.status === 429 || response.status >= 500,
      });
    }
    ctx.log.warn('the API asks to wait', { wait_ms: wait });
    await ctx.sleep(wait);
  }
}
