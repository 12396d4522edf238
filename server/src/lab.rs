//! The waiting lab, as its pages see it.

pub mod database;
pub mod request;
pub mod sandbox;

use api::{ApiError, ErrorCode, LabRun, LabRunId, LabSpec, LabState};

use crate::caller::Caller;
use crate::environment::Environment;

pub async fn state(_: &Environment, _: &Caller) -> Result<LabState, ApiError> {
    Ok(LabState { closed: Some("The lab is being built.".to_owned()), runs: Vec::new() })
}

pub async fn start(_: &Environment, _: &Caller, _: LabRunId, spec: LabSpec) -> Result<LabRun, ApiError> {
    spec.check()?;
    Err(ApiError::new(ErrorCode::Unavailable, "The lab is being built."))
}

pub async fn run(_: &Environment, _: &Caller, _: LabRunId) -> Result<LabRun, ApiError> {
    Err(ApiError::not_found("run"))
}

pub async fn cancel(_: &Environment, _: &Caller, _: LabRunId) -> Result<(), ApiError> {
    Err(ApiError::not_found("run"))
}
