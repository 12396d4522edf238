-- What an administrator has decided for a kind of job, and the workers that live.

create table job_kind (
    kind text not null,
    paused integer not null default 0,
    -- How many jobs may run at the same time; null where any number may.
    concurrency integer,
    constraint job_kind_pk primary key (kind),
    constraint job_kind_paused_is_bool check (paused in (0, 1)),
    constraint job_kind_concurrency_not_negative check (concurrency >= 0)
) strict, without rowid;

insert into job_kind (kind)
select distinct kind from job_count;

-- The order in which jobs are handed out, now within their kind: so a claim passes over a kind that
-- is paused in one step, however many of its jobs wait.
drop index job_waiting;
create index job_waiting on job (kind, priority desc, id) where state = 'waiting';

create table worker (
    name text not null,
    host text not null,
    pid integer not null,
    version text not null,
    slots integer not null,
    started_at_ms integer not null,
    -- When it was last heard of, by the clock that decides.
    beat_at_ms integer not null,
    constraint worker_pk primary key (name)
) strict, without rowid;
