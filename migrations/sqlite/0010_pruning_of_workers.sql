-- How deleting old jobs goes in a worker's process: how many times in a row it has failed, and with which kind of error.
alter table worker add column pruning_failures integer not null default 0;
alter table worker add column pruning_fault text;
