#!/usr/bin/env node
import { launch } from '@goflow/plugin-sdk/launch';

await launch(new URL('../dist/main.js', import.meta.url));
