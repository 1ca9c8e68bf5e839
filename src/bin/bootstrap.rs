//! The AWS Lambda functions that collect Duo's logs and convert objects; Lambda wants its program to have this name.

/// One invocation comes after the other, and what blocks has threads of its own: one thread will do.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    udmap::lambda::serve().await
}
