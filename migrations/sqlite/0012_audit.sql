-- The commands that people have given. An entry is written in the transaction that carries its command out.
create table audit (
    id integer primary key autoincrement,
    at_ms integer not null,
    -- The account. Null: the command line.
    by_name text,
    -- Empty: the command line, or an address that is not known.
    ip text not null,
    action text not null,
    job_id integer,
    -- The kind of the job, or what else the command was about: a kind, an account.
    target text not null,
    detail text
) strict;

-- Jobs are pruned, and what was done to them stays known: so no foreign key.
create index audit_of_job on audit (job_id) where job_id is not null;

create trigger audit_does_not_change before update on audit
begin
    select raise(abort, 'an entry of the audit does not change');
end;

create trigger audit_stays before delete on audit
begin
    select raise(abort, 'an entry of the audit is not deleted');
end;
