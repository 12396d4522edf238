//! What the server promises over HTTP, asked of the real router.

mod accounts;
mod broken_table;
mod events;
mod files;
mod for_any;
mod health;
mod hostile;
mod jobs;
mod receipts;
mod request;
mod search;
mod security;
mod site;
mod streams;
