"""The original's shape: an answer at once, and a thread for each write to the log.

LOG_DATABASE is the file of the log, LOG_DELAY how many seconds each write sleeps first (15 in the original).
"""

import os
import sqlite3
from threading import Thread
from time import sleep

from flask import Flask, copy_current_request_context, render_template, request

DATABASE = os.environ["LOG_DATABASE"]
DELAY_SECONDS = float(os.environ.get("LOG_DELAY", "0"))
# SQLite's own 5 s would lose rows as soon as some dozens of threads wait for the file.
PATIENCE_SECONDS = 60

app = Flask(__name__)


class UseDatabase:
    """A connection for one piece of work: committed if that ends well, closed in any case."""

    def __enter__(self):
        self.connection = sqlite3.connect(DATABASE, timeout=PATIENCE_SECONDS)
        self.connection.execute("pragma synchronous = full")
        return self.connection.cursor()

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.connection.commit()
        self.connection.close()


def search4letters(phrase, letters="aeiou"):
    return set(letters).intersection(set(phrase))


@app.post("/search4")
def do_search():
    @copy_current_request_context
    def log_request(req, results):
        sleep(DELAY_SECONDS)
        with UseDatabase() as cursor:
            cursor.execute(
                "insert into log (phrase, letters, ip, browser_string, results) values (?, ?, ?, ?, ?)",
                (req.form["phrase"], req.form["letters"], req.remote_addr, req.user_agent.string, results),
            )

    phrase, letters = request.form["phrase"], request.form["letters"]
    results = str(search4letters(phrase, letters))
    Thread(target=log_request, args=(request._get_current_object(), results)).start()
    return render_template("results.html", phrase=phrase, letters=letters, results=results)


def make_table():
    with open(os.path.join(os.path.dirname(__file__), "schema.sql"), encoding="utf-8") as schema:
        connection = sqlite3.connect(DATABASE, timeout=PATIENCE_SECONDS)
        connection.executescript(schema.read())
        connection.close()


make_table()
