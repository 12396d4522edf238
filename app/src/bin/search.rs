//! The entry page's program: the search, and the page for unknown addresses.

fn main() {
    app::start_search();
}
