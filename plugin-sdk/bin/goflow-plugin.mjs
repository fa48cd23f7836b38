#!/usr/bin/env node
import { launch } from './launch.mjs';

await launch(new URL('../dist/cli.js', import.meta.url));
