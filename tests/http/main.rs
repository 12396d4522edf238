//! What the server promises over HTTP, tested on the real router.

mod accounts;
mod audit;
mod connections;
mod files;
mod jobs;
mod kinds;
mod lab;
mod receipts;
mod request;
mod security;
mod sessions;
mod spool;
mod streams;
mod system;
mod test_server;

mod hostile {
    //! Hostile and arbitrary input.

    mod bodies;
    pub(crate) mod corpus;
    mod queries;
    mod requests;
    mod round_trips;
}

mod log {
    mod events;
    mod export;
    pub(crate) mod rows;
}

mod search {
    mod answers;
    mod direct;
    mod limits;
    mod plain_form;
    mod public_ledger;
    mod refusals;
}
