-- The log of searches. phrase, letters, ip, browser_string and results bear the names they always had.

create table log (
    id integer primary key autoincrement,
    phrase text not null,
    letters text not null,
    ip text not null,
    browser_string text not null,
    results text not null,
    user_agent text not null,
    search_id text not null,
    -- No foreign key: jobs are pruned, the log stays.
    job_id integer not null,
    searched_at_ms integer not null,
    recorded_at_ms integer not null,
    constraint log_search_id unique (search_id)
) strict;
