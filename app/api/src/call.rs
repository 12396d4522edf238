//! How a call of a server function travels: over HTTP. On the server, server_fn reads the request and writes the
//! response. On the client, the program says how a request is sent, and what it does when no response comes.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::OnceLock;

use http::Method;
use send_wrapper::SendWrapper;
use serde::de::DeserializeOwned;
use server_fn::codec::{Encoding, FromReq, IntoRes, Post};
use server_fn::{ContentType, Decodes, Encodes, Protocol};

use crate::json::{Answer, from_json};
use crate::{ApiError, ErrorCode};

/// Sends the body to a path, with its media type. Returns the body of a successful response.
pub type Transport = fn(path: &str, media_type: &str, body: &[u8]) -> Response;
pub type Response = Pin<Box<dyn Future<Output = Result<Vec<u8>, ApiError>>>>;

static TRANSPORT: OnceLock<Transport> = OnceLock::new();

/// Says how this program sends requests. Only the first call counts; until then, no server can be reached.
pub fn send_with(transport: Transport) {
    let _ = TRANSPORT.set(transport);
}

/// The protocol of a server function whose arguments have this encoding.
pub struct Call<Arguments>(PhantomData<Arguments>);

impl<Arguments, Input, Output, Client, Server> Protocol<Input, Output, Client, Server, ApiError> for Call<Arguments>
where
    Arguments: ContentType + Encodes<Input> + Decodes<Input>,
    Input: Send,
    Output: DeserializeOwned + IntoRes<Post<Answer>, Server::Response, ApiError> + Send,
    Client: server_fn::client::Client<ApiError>,
    Server: server_fn::server::Server<ApiError>,
{
    const METHOD: Method = Post::<Arguments>::METHOD;

    async fn run_server<F, Fut>(request: Server::Request, function: F) -> Result<Server::Response, ApiError>
    where
        F: Fn(Input) -> Fut + Send,
        Fut: Future<Output = Result<Output, ApiError>> + Send,
    {
        let input = <Input as FromReq<Post<Arguments>, _, _>>::from_req(request).await?;
        function(input).await?.into_res().await
    }

    fn run_client(path: &str, input: Input) -> impl Future<Output = Result<Output, ApiError>> + Send {
        let body = Arguments::encode(&input).ok();
        let response = TRANSPORT.get().zip(body).map(|(send, body)| send(path, Arguments::CONTENT_TYPE, &body));
        SendWrapper::new(async move {
            let body = response.ok_or_else(not_sent)?.await?;
            from_json(body).map_err(|_| ApiError::answered_by_another())
        })
    }
}

fn not_sent() -> ApiError {
    ApiError::new(ErrorCode::Internal, "The request could not be sent. Reload the page.")
}
