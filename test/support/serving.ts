/**
 * A server in a process of its own: `serving.ts SETTINGS`, of a site, as JSON. It says its URL.
 */
import 'reflect-metadata';
import { serveSite } from './server.js';

const { url } = await serveSite({ settings: JSON.parse(process.argv[2] ?? '{}') });
process.stdout.write(`${url}\n`);
