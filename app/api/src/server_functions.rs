//! Server functions: one declaration generates the client's function, the server's trait method, and their route.

/// The encoding of arguments that a plain HTML form can send too.
pub(crate) use crate::Form as FormArguments;
pub(crate) use crate::json::Arguments;

/// A server function's route.
///
/// Routes are listed explicitly, because a release build with LTO may drop an unreferenced linker section.
#[cfg(feature = "ssr")]
pub struct ServerFunction {
    /// The full path, for instance `/api/search`.
    pub path: &'static str,
    /// The content type of the arguments.
    pub content_type: &'static str,
    /// Registers the function, so that it can be found by its path.
    pub register: fn(),
}

#[cfg(feature = "ssr")]
impl ServerFunction {
    /// Whether a plain HTML form can call it.
    pub fn takes_forms(&self) -> bool {
        self.content_type == <FormArguments as server_fn::ContentType>::CONTENT_TYPE
    }
}

/// Declares the server functions of a feature. Each line
///
/// ```text
/// RetryJob, "admin/jobs/retry", Arguments: fn retry_job(id: JobId) -> ();
/// ```
///
/// generates the function `retry_job`, which the client calls, the type `RetryJob` of its arguments, the method
/// `retry_job` of the feature's trait, which the server implements, and an entry in the trait's `FUNCTIONS`, from which
/// the server makes the route `/api/admin/jobs/retry`. Only administrators may call functions below `admin`.
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
                protocol = $crate::call::Call<$crate::server_functions::$Input>
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

            /// Provides the implementation of this request's server functions.
            pub fn provide<T: $Api + 'static>(implementation: T) {
                leptos::prelude::provide_context::<std::sync::Arc<dyn $Api>>(std::sync::Arc::new(implementation));
            }
        }
    };
}

pub(crate) use server_functions;

/// The implementation of this request's server functions.
#[cfg(feature = "ssr")]
pub(crate) fn implementation<T: ?Sized + Send + Sync + 'static>() -> Result<std::sync::Arc<T>, crate::ApiError> {
    leptos::prelude::use_context().ok_or_else(|| {
        crate::ApiError::new(crate::ErrorCode::Internal, "The server function was called without an implementation.")
    })
}
