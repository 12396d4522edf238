-- What every search goes through, at less cost.

-- A foreign key is looked at for each row by a statement of its own, which cost as much as the rest of a job's way.
-- Who writes an attempt holds its job's lock in the same statement, so that the job is there, and attempts go with
-- their job by the trigger that counts what is deleted.
alter table attempt drop constraint attempt_job;

create or replace function job_inserted() returns trigger language plpgsql as $$
declare
    are_there boolean;
    can_run boolean;
begin
    with change as materialized (
        select kind, state, recorded, count(*) as by from new_jobs group by kind, state, recorded
    ),
    noted as (
        insert into tally (what, kind, state, by)
        select 'jobs', kind, state, sum(by) from change group by kind, state
        union all
        select 'accepted', '', '', sum(by) from change where kind = 'log_request' having sum(by) > 0
        union all
        select 'reopened', '', '', sum(by) from change
        where kind = 'log_request' and recorded and state <> 'done' having sum(by) > 0
    )
    select count(*) > 0, coalesce(bool_or(state in ('scheduled', 'waiting', 'retrying')), false)
    into are_there, can_run from change;
    if are_there then
        perform wake('jobs');
    end if;
    if can_run then
        perform wake('work');
    end if;
    return null;
end;
$$;

-- Counts what there was and what there is, instead of comparing row with row, and reads each once. The end of a job
-- makes room for the next of its kind, where that has a limit.
create or replace function job_updated() returns trigger language plpgsql as $$
declare
    counts_differ boolean;
    more_wait boolean;
    later_differ boolean;
    more_stop boolean;
    has_room boolean;
begin
    with change as materialized (
        select kind, state, recorded, cancel_requested, sum(by) as by
        from (
            select kind, state, recorded, cancel_requested, -1 as by from old_jobs
            union all
            select kind, state, recorded, cancel_requested, 1 from new_jobs
        ) as line
        group by kind, state, recorded, cancel_requested
    ),
    noted as (
        insert into tally (what, kind, state, by)
        select 'jobs', kind, state, sum(by) from change group by kind, state having sum(by) <> 0
        union all
        select 'reopened', '', '', sum(by) from change
        where kind = 'log_request' and recorded and state <> 'done' having sum(by) <> 0
        returning 1
    )
    select exists (select 1 from noted),
           coalesce(sum(by) filter (where state = 'waiting'), 0) > 0,
           coalesce(sum(by) filter (where state in ('scheduled', 'retrying')), 0) <> 0,
           coalesce(sum(by) filter (where cancel_requested), 0) > 0,
           coalesce(sum(by) filter (
               where state = 'running' and kind in (select kind from job_kind where concurrency is not null)
           ), 0) < 0
    into counts_differ, more_wait, later_differ, more_stop, has_room
    from change;
    if counts_differ then
        perform wake('jobs');
    end if;
    -- A job that waits again may be older than those that were handed out lately.
    if more_wait then
        perform wake('again');
    elsif later_differ then
        perform wake('work');
    end if;
    if more_stop then
        perform wake('cancel');
        perform wake('jobs');
    end if;
    if has_room then
        perform wake_all('work');
    end if;
    return null;
end;
$$;

drop trigger job_room_made on job;
drop function job_room_made();

create or replace function job_deleted() returns trigger language plpgsql as $$
begin
    delete from attempt where job_id in (select id from old_jobs);
    insert into tally (what, kind, state, by)
    select 'jobs', kind, state, -count(*) from old_jobs group by kind, state
    union all
    select 'reopened', '', '', -count(*) from old_jobs
    where kind = 'log_request' and recorded and state <> 'done' having count(*) > 0
    union all
    select 'pruned', '', '', count(*) from old_jobs
    where kind = 'log_request' and not recorded and state = 'cancelled' having count(*) > 0;
    if found then
        perform wake('jobs');
    end if;
    if exists (select 1 from old_jobs where state in ('scheduled', 'retrying')) then
        perform wake('work');
    end if;
    insert into missing_search (search_id, job_id, what)
    select key, id, 'Its job was deleted before it had written the row.' from old_jobs
    where kind = 'log_request' and not recorded and state <> 'cancelled' and key is not null
    on conflict (search_id) do update set job_id = excluded.job_id, what = excluded.what;
    return null;
end;
$$
-- A plan that was made while there were few attempts would read all of them later.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off;

-- What runs and what waits of the kinds of which there are few: whether one that is limited has room is asked at each
-- claim. Without the searches' jobs, which would make it one more index to be kept for each of them.
create index job_at_hand on job (kind, state, priority desc, id)
where kind <> 'log_request' and state in ('waiting', 'running');

-- Each change of a job's state is an entry in each index that holds it. What runs is found by `job_state`.
drop index job_running;
