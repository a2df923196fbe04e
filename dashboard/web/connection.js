// The state of a job's connection, in words.

import { setText } from './view.js';

// `state` and `age` are the nodes that say it.
export function showConnection(job, locale, state, age) {
  state.dataset.state = job.state;
  state.dataset.by = job.feed.kind ?? '';
  setText(state, stateWords(job, locale));
  setText(age, ageWords(job, locale));
}

export function stateWords(job, locale) {
  const { state, feed } = job;
  if (state === 'silent' && job.age === null) return locale.text('silentFromStart');
  if (state === 'stopped' && locale.has(`stopped.${job.driver}`)) return locale.text(`stopped.${job.driver}`);
  if (state !== 'disconnected') return locale.text(state);
  if (feed.phase === 'retrying') return locale.text('reconnecting');
  const seconds = Math.max(1, Math.ceil((feed.retryAt - performance.now()) / 1000));
  return locale.text('reconnectingIn', { time: locale.duration(seconds * 1000) });
}

function ageWords(job, locale) {
  if (job.age === null) return '';
  const words = locale.text('age', { ago: locale.ago(job.age) });
  return job.feed.kind === 'sse' ? words + locale.text('comma') + locale.text('overEvents') : words;
}
