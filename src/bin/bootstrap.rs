//! The AWS Lambda function that collects Duo's logs; Lambda wants its program to have this name.

/// A run waits most of the time, for one thing after the other: one thread will do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    udmap::lambda::serve().await
}
