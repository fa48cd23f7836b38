import { createHash } from 'node:crypto';
import { pagePolicy } from '../middleware/security-headers.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

function hashOf(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}

/** The policy allows exactly this page's one script and one style. */
export const DOCS_POLICY = pagePolicy(hashOf(SCRIPT), hashOf(STYLE));

export const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GoFlow API</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<div class="page">
<nav aria-label="Operations"><h1>GoFlow API</h1><input type="search" placeholder="Filter" aria-label="Filter operations"><div class="links"></div></nav>
<main><noscript>This page needs scripts; the same is in docs/API.md and in /api/openapi.json.</noscript></main>
</div>
<script>${SCRIPT}</script>
</body>
</html>
`;
