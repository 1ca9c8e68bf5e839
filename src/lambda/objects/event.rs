//! What the function is called with: which objects, and who wants to hear of failures how.

use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

/// An object that is to be converted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lambda) struct Named {
    pub(in crate::lambda) bucket: String,
    pub(in crate::lambda) key: String,
}

impl Named {
    pub(in crate::lambda) fn url(&self) -> String {
        let Named { bucket, key } = self;
        format!("s3://{bucket}/{key}")
    }
}

/// Objects that succeed or fail together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lambda) struct Task {
    /// The queue's message, if it came from one.
    pub(in crate::lambda) message: Option<String>,
    /// The objects, or why they can't be told.
    pub(in crate::lambda) objects: Result<Vec<Named>, String>,
}

/// What an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lambda) struct Asked {
    /// Whether the caller is a queue, which takes back single messages.
    pub(in crate::lambda) queue: bool,
    pub(in crate::lambda) tasks: Vec<Task>,
}

/// Items of a Distributed Map, batched or not.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Items")]
    items: Vec<Item>,
    #[serde(rename = "BatchInput")]
    input: Input,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "Bucket")]
    bucket: Option<String>,
    #[serde(rename = "Key")]
    key: String,
}

#[derive(Deserialize)]
struct Input {
    /// The bucket of items that name none: a listing's.
    bucket: Option<String>,
    /// Whether keys are percent-encoded: an inventory's.
    #[serde(default)]
    encoded: bool,
}

/// Reads an event: messages of SQS, notifications of S3 (direct, or by SNS or EventBridge), or items of
/// a Distributed Map.
pub(in crate::lambda) fn read(event: &Value) -> Asked {
    let records = event["Records"].as_array();
    let from_queue = |record: &Value| record["eventSource"] == "aws:sqs";
    if let Some(records) = records
        && records.iter().any(from_queue)
    {
        let task = |record: &Value| Task {
            message: Some(text(&record["messageId"])),
            objects: body(&text(&record["body"])),
        };
        return Asked { queue: true, tasks: records.iter().map(task).collect() };
    }
    let objects = if event.get("Items").is_some() { items(event) } else { notification(event) };
    Asked { queue: false, tasks: vec![Task { message: None, objects }] }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn body(text: &str) -> Result<Vec<Named>, String> {
    let value =
        serde_json::from_str(text).map_err(|error| format!("a message is not valid JSON: {error}"))?;
    notification(&value)
}

/// The objects that a notification tells of; none of one that tells of something else than new objects.
fn notification(event: &Value) -> Result<Vec<Named>, String> {
    if event["Event"] == "s3:TestEvent" {
        return Ok(Vec::new());
    }
    if event["Type"] == "Notification" {
        return body(&text(&event["Message"]));
    }
    if event["source"] == "aws.s3" {
        let made =
            matches!(event["detail-type"].as_str(), Some("Object Created" | "Object Restore Completed"));
        let named = named(&event["detail"]["bucket"]["name"], &event["detail"]["object"]["key"], false);
        return if made { named.map(|named| vec![named]) } else { Ok(Vec::new()) };
    }
    let Some(records) = event["Records"].as_array() else {
        return Err("it is neither a notification of S3 nor a batch of a Distributed Map".to_owned());
    };
    let made = |record: &&Value| {
        let name = record["eventName"].as_str().unwrap_or_default();
        name.starts_with("ObjectCreated:") || name == "ObjectRestore:Completed"
    };
    let records = records.iter().filter(made);
    records
        .map(|record| named(&record["s3"]["bucket"]["name"], &record["s3"]["object"]["key"], true))
        .collect()
}

fn items(event: &Value) -> Result<Vec<Named>, String> {
    let batch = Batch::deserialize(event).map_err(|error| format!("it is not a batch of items: {error}"))?;
    let Batch { items, input } = batch;
    let item = |Item { bucket, key }: Item| {
        let bucket = bucket.or_else(|| input.bucket.clone()).ok_or("an item names no bucket")?;
        Ok(Named { bucket, key: if input.encoded { decoded(&key) } else { key } })
    };
    items.into_iter().map(item).collect()
}

fn named(bucket: &Value, key: &Value, encoded: bool) -> Result<Named, String> {
    let (Some(bucket), Some(key)) = (bucket.as_str(), key.as_str()) else {
        return Err("a notification names no bucket or no key".to_owned());
    };
    let key = if encoded { decoded(key) } else { key.to_owned() };
    Ok(Named { bucket: bucket.to_owned(), key })
}

/// A key as it is: `a+b%C3%BC` is `a bü`.
fn decoded(key: &str) -> String {
    let pair = format!("k={}", key.replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, key)| key.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn s3(name: &str, key: &str) -> Value {
        json!({ "eventSource": "aws:s3", "eventName": name, "s3": {
            "bucket": { "name": "logs" }, "object": { "key": key, "size": 1, "eTag": "e" } } })
    }

    fn keys(task: &Task) -> Vec<&str> {
        task.objects.as_ref().unwrap().iter().map(|named| named.key.as_str()).collect()
    }

    #[test]
    fn all_who_call() {
        let notification = json!({ "Records": [
            s3("ObjectCreated:Put", "a/b+c%2Bd%25%26%3D%23%C3%BC.gz"),
            s3("ObjectRemoved:Delete", "gone"),
            s3("ObjectCreated:CompleteMultipartUpload", "x=1&y"),
        ] });
        let direct = read(&notification);
        assert!(!direct.queue);
        assert_eq!(keys(&direct.tasks[0]), ["a/b c+d%&=#ü.gz", "x=1&y"]);

        let bridge = json!({ "source": "aws.s3", "detail-type": "Object Created", "detail": {
            "bucket": { "name": "logs" }, "object": { "key": "a+b%20", "etag": "e" } } });
        let topic = json!({ "Type": "Notification", "Message": notification.to_string() });
        let message =
            |id: &str, body: String| json!({ "eventSource": "aws:sqs", "messageId": id, "body": body });
        let asked = read(&json!({ "Records": [
            message("1", notification.to_string()),
            message("2", topic.to_string()),
            message("3", bridge.to_string()),
            message("4", json!({ "Event": "s3:TestEvent", "Bucket": "logs" }).to_string()),
            message("5", "{no".to_owned()),
            message("6", "{}".to_owned()),
        ] }));
        assert!(asked.queue);
        let ids: Vec<&str> = asked.tasks.iter().filter_map(|task| task.message.as_deref()).collect();
        assert_eq!(ids, ["1", "2", "3", "4", "5", "6"]);
        assert_eq!(keys(&asked.tasks[1]), keys(&direct.tasks[0]));
        assert_eq!((keys(&asked.tasks[2]), keys(&asked.tasks[3]).len()), (vec!["a+b%20"], 0));
        assert!(asked.tasks[4].objects.is_err() && asked.tasks[5].objects.is_err());

        let batch = |input: Value| {
            let items =
                json!([{ "Key": "a+b%20", "Size": 1, "Etag": "e" }, { "Bucket": "other", "Key": "c" }]);
            read(&json!({ "Items": items, "BatchInput": input })).tasks[0].objects.clone()
        };
        let named = |bucket: &str, key: &str| Named { bucket: bucket.to_owned(), key: key.to_owned() };
        assert_eq!(
            batch(json!({ "bucket": "logs" })),
            Ok(vec![named("logs", "a+b%20"), named("other", "c")])
        );
        assert_eq!(
            batch(json!({ "bucket": "logs", "encoded": true })),
            Ok(vec![named("logs", "a b "), named("other", "c")])
        );
        assert!(batch(json!({})).is_err());
        assert!(read(&json!({ "Items": 5 })).tasks[0].objects.is_err());
    }
}
