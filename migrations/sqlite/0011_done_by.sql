-- The attempt that has done a job needs no row in `attempt`: its number, its start, its end and, from now on, its worker
-- stand in the job's row. Jobs that were done before have a row for it, and no name here.
alter table job add column done_by text
    constraint job_done_by_is_of_done check (done_by is null or state = 'done');
