// The page: one job in full, or all of several.

import { Header } from './header.js';
import { Overview } from './overview.js';
import { Page } from './page.js';

const search = new URLSearchParams(location.search);
if (search.has('wall')) document.documentElement.dataset.wall = '';

let shown = null;
const header = new Header((isWords) => shown?.rebuild(isWords));
header.build();

// Without the list, and with one job, there is one page: the server's first job.
async function listJobs() {
  try {
    const response = await fetch('api/jobs');
    return (await response.json()).jobs;
  } catch {
    console.info('tally: no list of jobs');
    return [];
  }
}

const chosen = search.get('job');
if (chosen) shown = new Page(header, chosen);
const jobs = await listJobs();
shown ??= jobs.length > 1 ? new Overview(header, jobs) : new Page(header, null);
if (jobs.length > 1) header.showJobs(jobs, chosen);
