use tonic::transport::Endpoint;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{Failure, runtime};

/// Asks a server whether it is healthy.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// HOST:PORT, http://HOST:PORT or unix:PATH.
    address: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let unreachable = |cause: String| Failure { message: format!("no answer from {}: {cause}", args.address), code: 4 };
    let bare = !args.address.contains("://") && !args.address.starts_with("unix:");
    let url = if bare { format!("http://{}", args.address) } else { args.address.clone() };
    let endpoint =
        Endpoint::from_shared(url).map_err(Failure::usage)?.connect_timeout(std::time::Duration::from_secs(5));
    let answer = runtime::block_on(async {
        let channel = endpoint.connect().await.map_err(|error| unreachable(described(&error)))?;
        let request = HealthCheckRequest { service: "feedline.v1.FeedlineService".into() };
        HealthClient::new(channel).check(request).await.map_err(|status| unreachable(status.message().to_owned()))
    })??;
    match answer.into_inner().status() {
        ServingStatus::Serving => {
            say!("serving");
            Ok(())
        }
        other => {
            Err(Failure::new(format!("{} is {}", args.address, other.as_str_name().to_lowercase().replace('_', " "))))
        }
    }
}

/// An error and what caused it.
fn described(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
