/** The admin page, metrics and health of a license in a running product (docs/admin.md). It needs Node.js 20.19. */
export { licenseAdmin, type AdminHandler } from './license-admin.ts';
export { licenseMetrics, type Metrics, type MetricsOptions } from './metrics.ts';
export { licenseMonitor, type MonitorOptions } from './monitor.ts';
export { nodeListener, type NodeListener } from './node-listener.ts';
export type { AdminOptions, AuditEntry, Operator, StepUpRequest, UsedTokens } from './options.ts';
export { postgresTokens } from './postgres-tokens.ts';
export { ADMIN_TEXTS, type NoticeTranslation, type NoticeWords, type TextName, type Translation } from './texts.ts';
