-- What running jobs say of themselves: how far they are, what they put out, what came of them.

-- Beside `job` and not in it: few kinds of jobs report, and the table that every search goes through stays slim.
create table job_report (
    job_id integer primary key,
    percent integer not null,
    note text not null,
    -- What came of the job, for machines.
    result text,
    -- How many parts it has put out, in all its attempts.
    parts integer not null default 0,
    constraint job_report_job foreign key (job_id) references job (id) on delete cascade,
    constraint job_report_percent_known check (percent between 0 and 100)
) strict;

create table job_output (
    job_id integer not null,
    -- From 1, without gaps.
    number integer not null,
    text text not null,
    constraint job_output_pk primary key (job_id, number),
    constraint job_output_job foreign key (job_id) references job (id) on delete cascade
) strict;

-- Pages by kind. Without the searches' jobs: those are most of all, so that the table itself, read from its end, shows
-- them at once, and they need not be in one index more.
create index job_of_kind on job (kind, id) where kind <> 'log_request';
