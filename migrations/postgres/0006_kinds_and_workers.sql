-- What administrators decide for all jobs of a kind, and who runs jobs.

create table job_kind (
    kind text not null,
    paused boolean not null default false,
    -- How many jobs of the kind run at the same time at most, on all workers together; null for any number.
    concurrency bigint,
    constraint job_kind_pk primary key (kind),
    constraint job_kind_concurrency_not_negative check (concurrency >= 0)
);

insert into job_kind (kind) select distinct kind from job;

create table worker (
    name text not null,
    host text not null,
    pid bigint not null,
    version text not null,
    slots bigint not null,
    started_at_ms bigint not null,
    beat_at_ms bigint not null,
    constraint worker_pk primary key (name)
);

-- For everybody, the process that has caused it included: there are jobs to claim that no commit of its
-- own has told it of.
create function wake_all(topic text) returns void language sql as $$
    select pg_notify('search4letters', topic);
$$;

create function job_kinds_noticed() returns trigger language plpgsql as $$
begin
    insert into job_kind (kind)
    select distinct kind from new_jobs where not exists (select 1 from job_kind where job_kind.kind = new_jobs.kind)
    on conflict (kind) do nothing;
    return null;
end;
$$;

create trigger job_kinds_noticed after insert on job
referencing new table as new_jobs for each statement execute function job_kinds_noticed();

-- The end of a job makes room for the next of its kind.
create function job_room_made() returns trigger language plpgsql as $$
begin
    if exists (select 1 from job_kind where concurrency is not null)
       and (select count(*) from old_jobs join job_kind using (kind) where state = 'running' and concurrency is not null)
           > (select count(*) from new_jobs join job_kind using (kind) where state = 'running' and concurrency is not null)
    then
        perform wake_all('work');
    end if;
    return null;
end;
$$;

create trigger job_room_made after update on job
referencing old table as old_jobs new table as new_jobs for each statement execute function job_room_made();

create function job_kind_changed() returns trigger language plpgsql as $$
begin
    perform wake('jobs');
    perform wake('again');
    return null;
end;
$$;

create trigger job_kind_changed after update on job_kind for each statement execute function job_kind_changed();
