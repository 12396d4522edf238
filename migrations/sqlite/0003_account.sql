-- Accounts, their sessions, and the link that makes the first of them. Tokens are kept as SHA-256 only.

create table account (
    id integer primary key autoincrement,
    name text not null collate nocase,
    role text not null,
    password_hash text not null,
    created_at_ms integer not null,
    constraint account_name unique (name),
    constraint account_role_known check (role in ('viewer', 'operator', 'admin'))
) strict;

create table session (
    token_hash blob not null,
    account_id integer not null,
    created_at_ms integer not null,
    idle_until_ms integer not null,
    ends_at_ms integer not null,
    constraint session_pk primary key (token_hash),
    constraint session_account foreign key (account_id) references account (id) on delete cascade
) strict, without rowid;

create index session_account_id on session (account_id);

create table setup_link (
    token_hash blob not null,
    expires_at_ms integer not null,
    constraint setup_link_pk primary key (token_hash)
) strict, without rowid;
