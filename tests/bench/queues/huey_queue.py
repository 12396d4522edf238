"""huey on SQLite, fsynced: adds JOBS jobs to FILE, runs them, and waits for its end.

huey_queue.py FILE JOBS
"""

import sqlite3
import sys
import threading
import time

from huey import SqliteHuey

FILE, JOBS = sys.argv[1], int(sys.argv[2])
# One per processor: more would only wait for the file.
WORKERS = 2

huey = SqliteHuey("log_request", filename=FILE + ".queue", fsync=True, journal_mode="wal", results=False)
here = threading.local()


@huey.task()
def log_request(search_id, phrase, letters, results):
    if not hasattr(here, "log"):
        here.log = connect()
    with here.log:
        here.log.execute(
            "insert into log (search_id, phrase, letters, results, recorded_at_ms) values (?, ?, ?, ?, ?)",
            (search_id, phrase, letters, results, time.time_ns() // 1_000_000),
        )


def connect():
    connection = sqlite3.connect(FILE, timeout=60)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    return connection


def main():
    log = connect()
    log.execute(
        "create table log (id integer primary key, search_id text not null unique, phrase text not null, "
        "letters text not null, results text not null, recorded_at_ms integer not null) strict"
    )
    for number in range(JOBS):
        log_request(f"{number:026}", "life, the universe, and everything!", "aeiou", "{'e', 'i', 'u'}")
    print("pushed", flush=True)
    consumer = huey.create_consumer(workers=WORKERS, periodic=False, initial_delay=0.01, max_delay=0.05)
    threading.Thread(target=watch, daemon=True).start()
    consumer.run()


def watch():
    log = connect()
    while log.execute("select count(*) from log").fetchone()[0] < JOBS:
        time.sleep(0.1)
    print("drained", flush=True)


main()
