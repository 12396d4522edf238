-- The queue: jobs, what came of their attempts, and how many there are in each state.

create table job (
    id integer primary key autoincrement,
    kind text not null,
    key text,
    payload text not null,
    state text not null,
    priority integer not null,
    attempt integer not null default 0,
    max_attempts integer not null,
    run_at_ms integer not null,
    lease_until_ms integer,
    worker text,
    cancel_requested integer not null default 0,
    created_at_ms integer not null,
    started_at_ms integer,
    finished_at_ms integer,
    error text,
    constraint job_kind_key unique (kind, key),
    constraint job_state_known check (
        state in ('scheduled', 'waiting', 'running', 'retrying', 'done', 'dead', 'cancelled')
    ),
    -- A lease without a worker, or the reverse, would be a job that nobody can finish or expire.
    constraint job_running_has_lease check (
        (state = 'running') = (worker is not null)
        and (state = 'running') = (lease_until_ms is not null)
    ),
    constraint job_cancel_requested_is_bool check (cancel_requested in (0, 1))
) strict;

-- Pages by state, and finds what is running. The row's id is the last column of every index.
create index job_state on job (state);

-- The order in which jobs are handed out. Partial, so that history costs a claim nothing.
create index job_waiting on job (priority desc, id) where state = 'waiting';

-- Which jobs are due next.
create index job_due on job (run_at_ms) where state in ('scheduled', 'retrying');

-- Which jobs can be pruned.
create index job_ended on job (finished_at_ms) where state in ('done', 'cancelled');

-- An attempt that is given back is not counted, and the next has its number again:
-- so the ordinal orders them and not the number.
create table attempt (
    job_id integer not null,
    ordinal integer not null,
    number integer not null,
    worker text not null,
    started_at_ms integer not null,
    finished_at_ms integer not null,
    outcome text not null,
    error text,
    constraint attempt_pk primary key (job_id, ordinal),
    constraint attempt_job foreign key (job_id) references job (id) on delete cascade,
    constraint attempt_outcome_known check (
        outcome in ('done', 'failed', 'dead', 'cancelled', 'lost', 'released')
    )
) strict, without rowid;

-- Counting ten million rows takes seconds; these counts move in the transactions that move the jobs.
create table job_count (
    state text not null,
    count integer not null default 0,
    constraint job_count_pk primary key (state),
    constraint job_count_not_negative check (count >= 0)
) strict, without rowid;

insert into job_count (state)
values ('scheduled'), ('waiting'), ('running'), ('retrying'), ('done'), ('dead'), ('cancelled');
