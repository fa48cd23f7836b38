import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One call of the connector, as the service behind it saw it. */
export interface Sighting {
  readonly run: string;
  readonly step: string;
  readonly attempt: number;
  readonly key: string;
  /** How often the host had been killed before. */
  readonly life: number;
  /** What the service answered; the host need not have lived to read it. */
  readonly answer: 'ok' | 'refused';
}

export interface Witness {
  readonly port: number;
  readonly sightings: readonly Sighting[];
  /** From now on what arrives belongs to the next life of the host. */
  nextLife(): void;
  close(): Promise<void>;
}

/** A service that writes down who called. It refuses the first call of each run that asks for that, so that the step is tried again. */
export async function startWitness(): Promise<Witness> {
  const sightings: Sighting[] = [];
  let life = 0;
  const server = createServer((req, res) => {
    let text = '';
    req.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    req.on('end', () => {
      const { run, step, attempt, key, flaky } = JSON.parse(text) as Omit<Sighting, 'life'> & { flaky: boolean };
      const first = !sightings.some((one) => one.run === run && one.step === step);
      const answer = flaky && first ? 'refused' : 'ok';
      sightings.push({ run, step, attempt, key, life, answer });
      res.statusCode = answer === 'ok' ? 200 : 503;
      res.end(answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sightings,
    nextLife: () => void (life += 1),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A connector that tells the witness of each attempt before it does anything else. */
export function reportingConnector(port: number): string {
  return `
import { ConnectorError, defineAction, defineConnector } from '@goflow/plugin-sdk';
const action = (idempotent: boolean) => defineAction({
  title: 'Report',
  idempotent,
  input: {
    type: 'object',
    properties: { n: { type: 'integer' }, ms: { type: 'integer' }, flaky: { type: 'boolean' } },
    additionalProperties: false,
  },
  async run(ctx, input) {
    const sighting = { run: ctx.runId, step: ctx.stepId, attempt: ctx.attempt, key: ctx.idempotencyKey, flaky: input.flaky === true };
    const response = await ctx.fetch('http://127.0.0.1:${port}/', { method: 'POST', body: JSON.stringify(sighting) });
    if (!response.ok) throw new ConnectorError('REFUSED', 'the service said no', { retryable: true });
    await response.text();
    await ctx.sleep(input.ms ?? 0);
    return { attempt: ctx.attempt, key: ctx.idempotencyKey };
  },
});
export default defineConnector({
  name: 'reporting', version: '1.0.0', title: 'Reporting', description: 'Tells a service of each attempt.',
  permissions: { net: ['127.0.0.1:${port}'] },
  actions: { report: action(true), report_once: action(false) },
});
`;
}
