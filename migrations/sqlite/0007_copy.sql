-- That this database is, or was made as, a copy of another one, and how far the copy has come. No server
-- opens a database whose copy is not finished.

create table copy (
    id integer primary key,
    -- What was given after --from, without a password.
    source_name text not null,
    -- Which database that is, and in which state it was: a copy is only gone on with from the same.
    source_identity text not null,
    source_state text not null,
    -- The tables before this one are whole; of this one, `done` rows are there, up to the key `up_to`.
    part text not null,
    up_to text not null,
    done integer not null,
    finished integer not null default 0,
    constraint copy_is_one_row check (id = 1),
    constraint copy_finished_is_bool check (finished in (0, 1))
) strict;
