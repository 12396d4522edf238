//! Calls a server function directly. One future has all the protections of the router's layers. Each layer would be a
//! future of its own, with an allocation and a copy of what it surrounds.

use std::sync::Arc;

use api::ServerFunction;
use axum::Router;
use axum::extract::Request;
use axum::handler::HandlerWithoutStateExt;
use axum::http::Method;
use axum::response::Response;
use store::Clock;
use tower_service::Service;

use super::accept::accepts_page;
use super::caller::{Caller, CallerSettings};
use super::error::without_panic;
use super::layers::{add_secure, forbid_storing, in_time};
use super::origin_guard::refusal;
use super::server_functions::{Call, Callee, answer};

/// What a function is called with.
pub struct Direct<T> {
    pub function: &'static ServerFunction,
    /// Installs a call as the function's implementation.
    pub provide: fn(Call<T>),
    pub service: Arc<T>,
    pub caller_settings: CallerSettings,
    pub clock: Arc<dyn Clock>,
}

impl<T: Send + Sync + 'static> Direct<T> {
    /// Calls the function for scripts. Every other request goes to `general`, also one for a page and one by a wrong
    /// method.
    pub fn or_else(self, general: Router) -> Router {
        let direct = Arc::new(self);
        let dispatch = move |request: Request| {
            let (direct, mut general) = (direct.clone(), general.clone());
            async move {
                if direct.is_for(&request) {
                    // Boxed, so that other requests have no room for it: an idle event stream kept 2.5 KiB more with it.
                    return Box::pin(direct.answer(request)).await;
                }
                let Ok(response) = general.call(request).await;
                response
            }
        };
        Router::new().fallback_service(dispatch.into_service())
    }

    fn is_for(&self, request: &Request) -> bool {
        request.uri().path() == self.function.path
            && request.method() == Method::POST
            && !accepts_page(request.headers())
    }

    /// In the order of the router's layers, from the innermost to the outermost.
    async fn answer(&self, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let proxies = &self.caller_settings.trusted_proxies;
        let scheme = proxies.arrival(&mut parts).scheme;
        let guarded = async {
            let mut response = match refusal(&mut parts, proxies) {
                Some(refusal) => refusal,
                None => {
                    let caller = Caller::of(&mut parts, &self.caller_settings);
                    let callee =
                        Callee { function: self.function, provide: self.provide, service: self.service.clone() };
                    answer(Request::from_parts(parts, body), callee, caller, &*self.clock).await
                }
            };
            forbid_storing(response.headers_mut());
            response
        };
        let path = self.function.path;
        let mut response = in_time(&*self.clock, path, without_panic(path, guarded)).await;
        add_secure(response.headers_mut(), scheme);
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::ACCEPT;
    use axum::http::{Request, StatusCode};
    use store::SystemClock;

    use super::super::caller::SessionCookie;
    use super::super::forwarded::TrustedProxies;
    use super::*;

    static FUNCTION: ServerFunction =
        ServerFunction { path: "/api/function", content_type: "application/x-www-form-urlencoded", register: || {} };

    async fn ask(method: Method, uri: &str, accept: &str) -> StatusCode {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let trusted_proxies = TrustedProxies::new([], clock.clone());
        let session_cookie = SessionCookie::of_store(&[7; 32], "here");
        let caller_settings = CallerSettings { trusted_proxies, session_cookie };
        let direct = Direct { function: &FUNCTION, provide: drop, service: Arc::new(()), caller_settings, clock };
        let mut router = direct.or_else(Router::new().fallback(async || StatusCode::IM_A_TEAPOT));
        let request = Request::builder().method(method).uri(uri).header(ACCEPT, accept).body(Body::empty());
        let Ok(response) = router.call(request.expect("well-formed")).await;
        response.status()
    }

    #[tokio::test]
    async fn only_calls_by_scripts_are_direct() {
        for (uri, accept) in [
            ("/api/function", "*/*"),
            ("/api/function?any=query", "application/json"),
            ("http://host/api/function", "text/html;q=0"),
        ] {
            // The function refuses a request without a content type.
            assert_eq!(ask(Method::POST, uri, accept).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{uri} {accept}");
        }
        for (method, uri, accept) in [
            (Method::POST, "/api/function", "text/html,*/*;q=0.8"),
            (Method::GET, "/api/function", "*/*"),
            (Method::OPTIONS, "/api/function", "*/*"),
            (Method::POST, "/api/function/", "*/*"),
            (Method::POST, "/api/Function", "*/*"),
            (Method::POST, "/api/%66unction", "*/*"),
            (Method::POST, "/", "*/*"),
        ] {
            assert_eq!(ask(method, uri, accept).await, StatusCode::IM_A_TEAPOT, "{uri} {accept}");
        }
    }
}
