-- The attempt that has done a job needs no row in `attempt`: its number, its start, its end and, from now on, its worker
-- stand in the job's row. Jobs that were done before have a row for it, and no name here. Adds no value to any row, so that
-- it is done at once however many jobs there are.
alter table job add column done_by text;
