//! One keep-alive connection of the load.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// HTTP/1.1 to one server, one request at a time.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Its errors reach the requests.
        tokio::spawn(connection);
        Ok(Self { sender, host: address.to_string() })
    }

    /// The status of a page.
    pub(crate) async fn get(&mut self, path: &str) -> Result<StatusCode> {
        let request = Request::get(path).header(header::HOST, &self.host).body(Full::default())?;
        Ok(self.sender.send_request(request).await?.status())
    }

    /// Posts JSON and gives the answer's body, which must come with status 200.
    pub(crate) async fn post(&mut self, post: Post) -> Result<Bytes> {
        let mut request = Request::post(post.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(post.body)))?;
        request.headers_mut().extend(post.headers);
        self.sender.ready().await.context("the server closed the connection")?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status == StatusCode::OK, "{status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }
}

/// What goes out in one request.
pub(crate) struct Post {
    /// The path on the server.
    pub(crate) path: &'static str,
    /// Who is asking, in the server's own terms.
    pub(crate) headers: header::HeaderMap,
    /// The GraphQL request.
    pub(crate) body: String,
}
