-- The ledger: where every search is that was ever accepted, kept in the transactions that move it.

-- Jobs are counted by kind from now on. Counts that somebody's own statements have put wrong show
-- on the page /system and must not stop the queue: so a count may fall below zero.
create table job_count_by_kind (
    kind text not null,
    state text not null,
    count integer not null,
    constraint job_count_by_kind_pk primary key (kind, state)
) strict, without rowid;

insert into job_count_by_kind (kind, state, count)
select kind, state, count(*) from job group by kind, state;

drop table job_count;
alter table job_count_by_kind rename to job_count;

create table ledger (
    id integer primary key,
    -- Searches that ever got a job.
    accepted integer not null,
    -- Rows in the log.
    recorded integer not null,
    -- Searches that have a row, and a job that is to run all the same: somebody has retried it.
    reopened integer not null,
    -- Searches without a row whose cancelled job was pruned.
    cancelled integer not null,
    constraint ledger_is_one_row check (id = 1)
) strict;

insert into ledger (id, accepted, recorded, reopened, cancelled)
select 1,
       (select count(*) from log)
       + (select count(*) from job
          where kind = 'log_request' and not exists (select 1 from log where search_id = job.key)),
       (select count(*) from log),
       (select count(*) from job
        where kind = 'log_request' and state <> 'done' and exists (select 1 from log where search_id = job.key)),
       0;

-- Searches whose row or whose last trace in the queue was deleted. Those that have got a row
-- or a job again since are no longer missing: who reads this looks.
create table missing_search (
    search_id text not null,
    job_id integer not null,
    what text not null,
    constraint missing_search_pk primary key (search_id)
) strict, without rowid;

-- What is deleted is counted here and not by the product's own statements, so that it counts
-- whoever has deleted it. Nothing on the way of a search deletes anything.

create trigger job_deleted after delete on job
begin
    update job_count set count = count - 1 where kind = old.kind and state = old.state;
end;

create trigger log_job_deleted after delete on job when old.kind = 'log_request'
begin
    update ledger set reopened = reopened - 1
    where old.state <> 'done' and exists (select 1 from log where search_id = old.key);
    update ledger set cancelled = cancelled + 1
    where old.state = 'cancelled' and not exists (select 1 from log where search_id = old.key);
    insert into missing_search (search_id, job_id, what)
    select old.key, old.id, 'Its job was deleted before it had written the row.'
    where old.state <> 'cancelled' and not exists (select 1 from log where search_id = old.key)
    on conflict (search_id) do update set job_id = excluded.job_id, what = excluded.what;
end;

create trigger log_deleted after delete on log
begin
    update ledger set recorded = recorded - 1;
    update ledger set reopened = reopened - 1
    where exists (
        select 1 from job where kind = 'log_request' and key = old.search_id and state <> 'done'
    );
    insert into missing_search (search_id, job_id, what)
    values (old.search_id, old.job_id, 'Its row was deleted from the log.')
    on conflict (search_id) do update set job_id = excluded.job_id, what = excluded.what;
end;
