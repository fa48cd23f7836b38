import { METRICS_TYPE, processFamilies, renderMetrics } from '../metrics.ts';
import type { HttpMetrics } from '../metrics.ts';
import { text } from '../reply.ts';
import { defineRoute } from '../route.ts';
import type { Route } from '../route.ts';

export function metricsRoutes(metrics: HttpMetrics): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/metrics',
      act: 'metrics:read',
      query: 'any',
      body: 'none',
      doc: {
        id: 'metrics',
        tag: 'Operations',
        summary: 'Figures for Prometheus',
        description: 'Figures by plugin are for the bootstrap key: a plugin may belong to another tenant.',
        answers: { 200: ['Prometheus text format.', { type: 'string' }, 'text/plain'] },
        problems: [],
      },
      handle(services, call) {
        const families = [...metrics.families(), ...(services.metrics?.() ?? []), ...processFamilies()];
        const shown = call.principal.hostWide ? families : families.filter(({ hostWide }) => hostWide !== true);
        return text(200, METRICS_TYPE, renderMetrics(shown));
      },
    }),
  ];
}
