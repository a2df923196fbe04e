// What to tell the reader about the way from the job to this page. Pure, no DOM.

const SILENT_AFTER_MS = 5_000;
const SILENT_AFTER_SLIDES = 3;
// Spark's DriverState, and what a master says of a driver that it does not know.
const ENDED = ['FINISHED', 'FAILED', 'KILLED', 'ERROR', 'NOT_FOUND', 'LOST'];

export function driverState(status) {
  return (status?.spark?.driver ?? status?.driver ?? null)?.toUpperCase() ?? null;
}

// The nearest fault is told: what is behind it is not known. `phase` is the feed's, `age` the newest result's in ms, or
// null if there never was one.
export function health(phase, status, age, slide) {
  if (phase === 'connecting') return 'connecting';
  if (phase !== 'open') return 'disconnected';
  if (status?.kafka === 'lost') return 'kafka-lost';
  if (status?.topic === 'gone') return 'topic-gone';
  if (ENDED.includes(driverState(status))) return 'stopped';
  if (age !== null && age <= Math.max(SILENT_AFTER_MS, SILENT_AFTER_SLIDES * slide)) return 'live';
  return status ? 'silent' : 'connecting';
}

// What is known of the job, in the order shown: [name, value]. What is unknown is left out.
export function jobFacts(status) {
  const spark = status?.spark ?? {};
  const facts = [
    ['engine', status?.engine],
    ['master', spark.master],
    ['driver', driverState(status)],
    ['executors', spark.executors],
    ['cores', spark.cores],
    ['inputRate', spark.inputRate],
    ['processingRate', spark.processingRate],
    ['batchMs', spark.batchMs],
    ['watermark', spark.watermark],
    ['stateRows', spark.stateRows],
    ['sourceLag', status?.source_lag],
    ['resultLag', status?.result_lag],
    ['clients', status?.clients],
    ['driverId', spark.id],
    ['application', spark.application],
  ];
  return facts.filter(([, value]) => value !== null && value !== undefined);
}
