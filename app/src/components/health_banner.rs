//! The light: whether all is well, why, and when that was last tried out.

use api::{Health, HealthStatus, JobState, Probe};
use leptos::prelude::*;

use crate::components::{Icon, Sign, TimeAgo};
use crate::{marking, wording};

#[component]
pub fn HealthBanner(health: Health) -> impl IntoView {
    let Health { light, sentence, probe } = health;
    view! {
        <section class="health_banner card" data-light=light.as_str() aria-labelledby="health-title">
            <span class="health_sign"><Icon sign=sign(light) /></span>
            <div class="health_words">
                // Of all that changes here only the light is read out.
                <div role="status"><h2 id="health-title">{light.as_str()}</h2></div>
                <p>{marking::visible(&sentence)}</p>
            </div>
            <p class="health_probe muted">{probe.map_or_else(|| "No probe has gone the whole way yet.".into_any(), tried)}</p>
        </section>
    }
}

fn sign(light: HealthStatus) -> Sign {
    match light {
        HealthStatus::Healthy => Sign::State(JobState::Done),
        HealthStatus::Checking => Sign::State(JobState::Waiting),
        HealthStatus::Degraded => Sign::Alert,
        HealthStatus::Failing => Sign::State(JobState::Dead),
    }
}

fn tried(Probe { ended_at, took_ms }: Probe) -> AnyView {
    // A probe of weeks would not fit; none takes that long.
    let took = wording::duration(took_ms.try_into().unwrap_or(i64::MAX));
    view! { "A probe went the whole way "<TimeAgo time=ended_at />{format!(", in {took}.")} }.into_any()
}
