// plainjob on SQLite: adds JOBS jobs to FILE, runs them, and waits for its end.
//
// plainjob_queue.js default|durable FILE JOBS

const Database = require("better-sqlite3");
const { better, defineQueue, defineWorker } = require("plainjob");

const [settings, file, count] = process.argv.slice(2);
const jobs = Number(count);
const BATCH = 1000;

const database = new Database(file);
const queue = defineQueue({ connection: better(database) });
// It sets `synchronous=normal`, with which a loss of power may take what was committed.
if (settings === "durable") database.pragma("synchronous = full");
database.exec(
  "create table log (id integer primary key, search_id text not null unique, phrase text not null, " +
    "letters text not null, results text not null, recorded_at_ms integer not null) strict",
);
const insert = database.prepare(
  "insert into log (search_id, phrase, letters, results, recorded_at_ms) values (?, ?, ?, ?, ?)",
);

const question = { phrase: "life, the universe, and everything!", letters: "aeiou", results: "{'e', 'i', 'u'}" };
for (let first = 0; first < jobs; first += BATCH) {
  const numbers = Array.from({ length: Math.min(BATCH, jobs - first) }, (_, place) => first + place);
  queue.addMany("log_request", numbers.map((number) => ({ search_id: String(number).padStart(26, "0"), ...question })));
}
console.log("pushed");

let done = 0;
const quiet = { debug() {}, info() {}, warn: console.warn, error: console.error };
const worker = defineWorker(
  "log_request",
  ({ data }) => {
    const { search_id, phrase, letters, results } = JSON.parse(data);
    insert.run(search_id, phrase, letters, results, Date.now());
  },
  {
    queue,
    logger: quiet,
    onCompleted: () => {
      done += 1;
      if (done === jobs) console.log("drained");
    },
  },
);
worker.start();
