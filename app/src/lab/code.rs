//! The code of each style and scenario: the engine's own lines, and what one writes in Python.

use api::{LabSpec, LabStyle};
use leptos::prelude::*;

use crate::lab::fields::Choices;
use crate::lab::words::{self, labels};

#[derive(Clone, Copy, Debug)]
struct Code {
    /// Parts of this server's source, with their own line breaks. `…` stands for others.
    rust: &'static str,
    /// The files that have these lines.
    source: &'static str,
    python: &'static str,
}

const ENGINE: &str = "server/lab/src/fetch.rs";

const SEQUENTIAL: Code = Code {
    rust: "for item in recorder.plan().numbers() {
    …
    // Blocks until the answer is there.
    recorder.answered(item, client.get(recorder.path(item)));
    recorder.delivered(item);
}",
    source: ENGINE,
    python: "for url in urls:
    # Blocks until the answer is there.
    results.append(requests.get(url).text)",
};

const THREADS: Code = Code {
    rust: "let pool = ThreadPool::new(workers);
…
for item in recorder.plan().numbers() {
    …
    futures.push(submit(&pool, recorder, &client, item)?);
}",
    source: ENGINE,
    python: "with ThreadPoolExecutor(workers) as pool:
    # Each thread blocks on its own request.
    results = list(pool.map(fetch, urls))",
};

const FUTURES: Code = Code {
    rust: "let future = pool.submit(move || {
    …
    item
})?;
…
LabOrder::Completion =>
    deliver(recorder, as_completed(futures.iter().cloned())),",
    source: ENGINE,
    python: "with ThreadPoolExecutor(workers) as pool:
    futures = [pool.submit(fetch, url) for url in urls]
    for future in as_completed(futures):
        results.append(future.result())",
};

const ASYNC: Code = Code {
    rust: "let mut tasks = JoinSet::new();
for item in recorder.plan().numbers() {
    tasks.spawn(fetch_one(
        Arc::clone(recorder), client.clone(), item, stop.clone()));
}
while let Some(ended) = tasks.join_next().await {
    …
}",
    source: ENGINE,
    python: "async with aiohttp.ClientSession() as session:
    tasks = [fetch(session, url) for url in urls]
    # One thread waits for all of them.
    results = await asyncio.gather(*tasks)",
};

const DATABASE: Code = Code {
    rust: "let mut connection = self.connections.get().await?;
…
sqlx::query(statement).fetch_one(&mut *connection)
    .await.map_err(store_error)?;
…
// However the task ends, the connection is dropped: it goes back.
Ok(())",
    source: "server/store/sqlite/src/pool_probe.rs",
    python: "connection = pool.get_connection()
try:
    connection.cursor().execute(statement)
finally:
    # Without this line, each error takes a connection away.
    connection.close()",
};

const TRAP: Code = Code {
    rust: "// Bare task: known to this process only.
tokio::spawn(async move { sandbox.write(record).await });

// Durable job: the answer waits for the commit, not for the write.
store.accept(record.search, log_job(record, clock.steady())).await",
    source: "server/src/lab/sandbox/routes.rs, server/src/search/ingest.rs",
    python: "# The trap: the thread dies with the process.
Thread(target=log_request, args=(record,)).start()

# The way out: a queue that is on disk before the answer.
queue.enqueue(log_request, record)",
};

fn of_style(style: LabStyle) -> Code {
    match style {
        LabStyle::Sequential => SEQUENTIAL,
        LabStyle::Threads => THREADS,
        LabStyle::Futures => FUTURES,
        LabStyle::Async => ASYNC,
    }
}

/// The code of the style that the visitor chooses.
#[component]
pub fn StyleCode() -> impl IntoView {
    let chosen = RwSignal::new(LabStyle::ALL.len() - 1);
    let code = move || of_style(LabStyle::ALL.get(chosen.get()).copied().unwrap_or(LabStyle::Async));
    let options = LabStyle::ALL.iter().map(|&style| labels::style(style)).collect();
    view! {
        <CodeSection>
            <Choices legend=words::STYLE name="code" options chosen on_choose=move |index| chosen.set(index) />
            {move || view! { <Pair code=code() /> }}
        </CodeSection>
    }
}

/// The code of a run.
#[component]
pub fn RunCode(spec: LabSpec) -> impl IntoView {
    let code = match spec {
        LabSpec::Fetch(spec) => of_style(spec.style),
        LabSpec::Database(_) => DATABASE,
        LabSpec::Request(_) => TRAP,
    };
    view! { <CodeSection><Pair code /></CodeSection> }
}

#[component]
fn CodeSection(children: Children) -> impl IntoView {
    view! {
        <section class="lab_code" aria-labelledby="code-title">
            <h2 id="code-title">{words::CODE_TITLE}</h2>
            {children()}
            <p class="lab_guide"><a href=api::LAB_GUIDE>{words::GUIDE}</a></p>
        </section>
    }
}

#[component]
fn Pair(code: Code) -> impl IntoView {
    let part = |language: &'static str, source: Option<&'static str>, text: &'static str| {
        view! {
            <figure class="code_part">
                <figcaption>{language}{source.map(|source| view! { <span class="muted">{source}</span> })}</figcaption>
                <pre tabindex="0" role="region" aria-label=language><code translate="no">{text}</code></pre>
            </figure>
        }
    };
    view! {
        <div class="code_pair">
            {part("Rust", Some(code.source), code.rust)}
            {part("Python", None, code.python)}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code without its comments and line breaks.
    fn without_space(text: &str) -> String {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.flat_map(str::chars).filter(|letter| !letter.is_whitespace()).collect()
    }

    /// Excerpts must not drift from the source that they claim to be.
    #[test]
    fn the_rust_lines_are_those_of_the_source() {
        let engine = include_str!("../../../server/lab/src/fetch.rs");
        let ingest = concat!(
            include_str!("../../../server/src/lab/sandbox/routes.rs"),
            include_str!("../../../server/src/search/ingest.rs")
        );
        let probe = include_str!("../../../server/store/sqlite/src/pool_probe.rs");
        let codes = LabStyle::ALL.iter().map(|&style| (of_style(style), engine));
        for (code, source) in codes.chain([(DATABASE, probe), (TRAP, ingest)]) {
            let source = without_space(source);
            for part in code.rust.split("…").flat_map(|part| part.split("\n\n")).map(without_space) {
                assert!(source.contains(&part), "{part:?} is not in {}", code.source);
            }
        }
    }
}
