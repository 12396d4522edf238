//! What visitors load: the search, and what is said of a page that does not exist.

fn main() {
    app::start_search();
}
