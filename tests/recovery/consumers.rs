//! A stream that is made anew gets its consumers back at their places.

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::stream::DiscardPolicy;
use futures::StreamExt as _;
use service::follower::STREAM;
use tests::NatsServer;

use super::{World, within_the_limit};

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_stream_is_filled_anew_with_its_consumers_at_their_places() {
    let mut world = World::new(NatsServer::start());
    world.append(30).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    let context = world.context().await;
    let consumer = durable(&context).await;
    // One that begins with what comes after it: the server moves no such one to a place.
    let fresh = context.get_stream(STREAM).await.unwrap();
    let config = pull::Config {
        durable_name: Some("fresh".to_owned()),
        deliver_policy: DeliverPolicy::New,
        ..pull::Config::default()
    };
    let fresh = fresh.create_consumer(config).await.unwrap();
    world.append(10).await;
    world.is_mirrored(&follower).await;
    let mut newest = fresh.messages().await.unwrap();
    for _ in 0..4 {
        newest.next().await.unwrap().unwrap().double_ack().await.unwrap();
    }
    drop(newest);
    let mut messages = consumer.messages().await.unwrap();
    for _ in 0..12 {
        messages.next().await.unwrap().unwrap().double_ack().await.unwrap();
    }
    drop(messages);
    let remembered = world.directory.path().join("follower/consumers.json");
    let is_remembered = || {
        let all = ["\"acknowledged\": 12", "\"acknowledged\": 34"];
        let text = std::fs::read_to_string(&remembered);
        text.is_ok_and(|text| all.iter().all(|place| text.contains(place)))
    };
    within_the_limit("the consumer's place is remembered", async || is_remembered()).await;
    // Purging is denied, but whoever may change the stream can still empty it.
    let mut config = world.info().await.config;
    config.discard = DiscardPolicy::Old;
    config.max_messages = 2;
    let before = world.info().await.created;
    context.update_stream(config).await.unwrap();
    within_the_limit("the stream is made anew", async || {
        let Ok(stream) = context.get_stream(STREAM).await else { return false };
        let info = stream.cached_info();
        info.created != before && info.state.consumer_count == 2
    })
    .await;
    world.is_mirrored(&follower).await;
    let stream = context.get_stream(STREAM).await.unwrap();
    let consumer: PullConsumer = stream.get_consumer("deadlines").await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let next = messages.next().await.unwrap().unwrap();
    assert_eq!(next.info().unwrap().stream_sequence, 13);
    let fresh: PullConsumer = stream.get_consumer("fresh").await.unwrap();
    let next = fresh.messages().await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(next.info().unwrap().stream_sequence, 35);
    // Its owner, who creates it at each start, finds it as it was.
    durable(&context).await;
    follower.stop().await;
}

/// The follower's way to the server ends between the making of a consumer and its place: here because it
/// may not go on, elsewhere because the connection breaks.
#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_was_made_and_not_put_to_its_place_gets_there_at_the_next_start() {
    let settings = r#"
        no_auth_user: all
        authorization { users: [
            { user: all, password: all }
            { user: cut, password: cut, permissions: { publish: {
                allow: ">", deny: ["$JS.API.CONSUMER.RESET.>", "$JS.API.CONSUMER.DELETE.>"]
            } } }
        ] }"#;
    let mut world = World::new(NatsServer::start_with(settings));
    world.append(30).await;
    let follower = world.follow().await;
    world.is_mirrored(&follower).await;
    let context = world.context().await;
    let mut messages = durable(&context).await.messages().await.unwrap();
    for _ in 0..12 {
        messages.next().await.unwrap().unwrap().double_ack().await.unwrap();
    }
    drop(messages);
    let remembered = world.directory.path().join("follower/consumers.json");
    let says =
        |what: &str| std::fs::read_to_string(&remembered).is_ok_and(|text| text.contains(what));
    within_the_limit("the place is remembered", async || says("\"acknowledged\": 12")).await;
    follower.stop().await;
    context.delete_stream(STREAM).await.unwrap();

    let cut = world.server.url().replace("nats://", "nats://cut:cut@");
    let follower = world.follow_by(&cut).await;
    within_the_limit("the consumer is made anew", async || {
        let Ok(stream) = context.get_stream(STREAM).await else { return false };
        stream.cached_info().state.consumer_count == 1
    })
    .await;
    assert!(says("\"owed\": true"), "it is not at its place yet");
    follower.stop().await;

    let follower = world.follow().await;
    within_the_limit("nothing is owed", async || says("\"owed\": false")).await;
    let stream = context.get_stream(STREAM).await.unwrap();
    let consumer: PullConsumer = stream.get_consumer("deadlines").await.unwrap();
    let next = consumer.messages().await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(next.info().unwrap().stream_sequence, 13);
    assert!(!says("unplaced"), "and its place is believed again");
    follower.stop().await;
}

async fn durable(context: &Context) -> PullConsumer {
    let stream = context.get_stream(STREAM).await.unwrap();
    let config = pull::Config {
        durable_name: Some("deadlines".to_owned()),
        ack_policy: AckPolicy::Explicit,
        filter_subject: "tebessa.case.>".to_owned(),
        ..pull::Config::default()
    };
    stream.create_consumer(config).await.unwrap()
}
