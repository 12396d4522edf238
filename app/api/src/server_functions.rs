//! Server functions: one declaration makes what the client calls, what the server implements, and the route between them.

use server_fn::codec::Post;

use crate::Form;
pub(crate) use crate::json::Arguments;

/// For a function whose arguments a plain HTML form can send too.
pub(crate) type FormArguments = Post<Form>;

/// A server function, as the server routes it.
///
/// Routes are listed, and not found through linker sections: a release build with LTO may drop a section that nothing names.
#[cfg(feature = "ssr")]
pub struct ServerFunction {
    /// The whole path, for instance `/api/search`.
    pub path: &'static str,
    /// How the arguments travel.
    pub content_type: &'static str,
    /// Lets the function be found by its path.
    pub register: fn(),
}

/// Declares the server functions of a feature. Each line
///
/// ```text
/// RetryJob, "admin/jobs/retry", Arguments: fn retry_job(id: JobId) -> ();
/// ```
///
/// makes the function `retry_job`, which the client calls, its arguments' type `RetryJob`, the method `retry_job` of the
/// feature's trait, which the server implements, and an entry of the trait's `FUNCTIONS`, from which the server makes the
/// route `/api/admin/jobs/retry`. What is below `admin` passes the guard of administrators.
macro_rules! server_functions {
    (
        $(#[$about:meta])*
        trait $Api:ident;
        $(
            $(#[$doc:meta])*
            $Name:ident, $path:literal, $Input:ident:
                fn $function:ident($($argument:ident: $type:ty),*) -> $answer:ty;
        )*
    ) => {
        $(
            $(#[$doc])*
            #[leptos::server(
                name = $Name, prefix = "/api", endpoint = $path,
                input = $crate::server_functions::$Input, output = $crate::json::Answer
            )]
            pub async fn $function($($argument: $type),*) -> Result<$answer, $crate::ApiError> {
                $crate::server_functions::implementation::<dyn $Api>()?.$function($($argument),*).await
            }
        )*

        $(#[$about])*
        #[cfg(feature = "ssr")]
        #[async_trait::async_trait]
        pub trait $Api: Send + Sync {
            $(
                $(#[$doc])*
                async fn $function(&self, $($argument: $type),*) -> Result<$answer, $crate::ApiError>;
            )*
        }

        #[cfg(feature = "ssr")]
        impl dyn $Api {
            pub const FUNCTIONS: &'static [$crate::ServerFunction] = &[$(
                $crate::ServerFunction {
                    path: <$Name as server_fn::ServerFn>::PATH,
                    content_type: <$crate::server_functions::$Input as server_fn::ContentType>::CONTENT_TYPE,
                    register: server_fn::axum::register_explicit::<$Name>,
                },
            )*];

            /// Makes `implementation` answer the server functions of this request.
            pub fn provide<T: $Api + 'static>(implementation: T) {
                leptos::prelude::provide_context::<std::sync::Arc<dyn $Api>>(std::sync::Arc::new(implementation));
            }
        }
    };
}

pub(crate) use server_functions;

/// What answers the server functions of this request.
#[cfg(feature = "ssr")]
pub(crate) fn implementation<T: ?Sized + Send + Sync + 'static>() -> Result<std::sync::Arc<T>, crate::ApiError> {
    leptos::prelude::use_context().ok_or_else(|| {
        crate::ApiError::new(crate::ErrorCode::Internal, "The server function was called without an implementation.")
    })
}
