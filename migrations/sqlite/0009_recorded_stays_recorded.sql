-- A search that has its row counts as recorded, whatever becomes of its job afterwards.

-- The jobs that were retried, or left open, although their search has its row. A job that has ended since may still be
-- listed: readers look at its state. Usually empty.
create table reopened_job (
    job_id integer primary key,
    constraint reopened_job_job foreign key (job_id) references job (id) on delete cascade
) strict;

-- The old count says whether there is anything to look for.
insert into reopened_job (job_id)
select id from job
where (select reopened <> 0 from ledger) and kind = 'log_request' and state <> 'done'
  and exists (select 1 from log where search_id = job.key);

drop trigger log_job_deleted;
drop trigger log_deleted;
alter table ledger drop column reopened;

create trigger log_job_deleted after delete on job when old.kind = 'log_request'
begin
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
    insert into missing_search (search_id, job_id, what)
    values (old.search_id, old.job_id, 'Its row was deleted from the log.')
    on conflict (search_id) do update set job_id = excluded.job_id, what = excluded.what;
end;
