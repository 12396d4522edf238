//! What the server promises over HTTP, asked of the real router.

mod accounts;
mod broken_table;
mod connections;
mod events;
mod export;
mod files;
mod for_any;
mod health;
mod hostile;
mod jobs;
mod kinds;
mod lab;
mod lock;
mod monitoring;
mod receipts;
mod request;
mod search;
mod security;
mod site;
mod spool;
mod streams;
mod system;
