import type { HttpMetrics } from '../metrics.ts';
import type { Route } from '../route.ts';
import { actionRoutes } from './actions.ts';
import { auditRoutes } from './audit.ts';
import { backupRoutes } from './backup.ts';
import { credentialRoutes } from './credentials.ts';
import { docsRoutes } from './docs.ts';
import { healthRoutes } from './health.ts';
import { keyRoutes } from './keys.ts';
import { logLevelRoutes } from './log-levels.ts';
import { metricsRoutes } from './metrics.ts';
import { openApiRoutes } from './openapi.ts';
import { pluginRoutes } from './plugins.ts';
import { runEventRoutes } from './run-events.ts';
import { runRoutes } from './runs.ts';
import { triggerRoutes } from './trigger.ts';
import { webhookRoutes } from './webhooks.ts';
import { workflowRoutes } from './workflows.ts';

/** Every route of the API: what is not here does not exist. docs/API.md and the OpenAPI document list the same; tests compare them. */
export function allRoutes(metrics: HttpMetrics): readonly Route[] {
  const resources = [
    ...workflowRoutes,
    ...triggerRoutes,
    ...runRoutes,
    ...runEventRoutes,
    ...actionRoutes,
    ...pluginRoutes,
    ...credentialRoutes,
    ...keyRoutes,
    ...auditRoutes,
    ...webhookRoutes,
    ...healthRoutes,
    ...metricsRoutes(metrics),
    ...logLevelRoutes,
    ...backupRoutes,
    ...docsRoutes,
  ];
  return [...resources, ...openApiRoutes(resources)];
}
