//! The floor of listening: bare channels with as many receivers, no database, nobody asked.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

use super::{
    cost::Meter,
    listeners::{Outcome, Shape},
    tally::Tally,
};
use crate::measure::memory;

/// As many as a topic of the service keeps.
const KEPT: usize = 64;

/// Measures it.
pub(crate) async fn measure(postmaster: u32, seconds: u64, shape: Shape) -> Result<Outcome> {
    let (organisations, users) = shape.size();
    let tally = Arc::new(Tally::default());
    let before = memory(std::process::id())?;
    let mut senders: Vec<Sender<Arc<u32>>> = vec![];
    for _ in 0..organisations {
        let sender = broadcast::channel(KEPT).0;
        for _ in 0..users {
            tokio::spawn(hear(sender.subscribe(), Arc::clone(&tally)));
        }
        senders.push(sender);
    }
    let all = shape.listeners();
    tell(&senders, &tally, all, 1).await?;
    let memory_kib = (memory(std::process::id())? - before) * 1024.0 / f64::from(all);
    let mut heard = 0;
    let meter = Meter::start(postmaster)?;
    while meter.elapsed() < Duration::from_secs(seconds) {
        tell(&senders, &tally, all, shape.batch()).await?;
        heard += all * shape.batch();
    }
    Ok(Outcome { memory_kib, delivery: meter.stop(heard)?, cold: None })
}

async fn tell(senders: &[Sender<Arc<u32>>], tally: &Tally, all: u32, each: u32) -> Result<()> {
    tally.want(all * each);
    for sender in senders {
        for number in 0..each {
            sender.send(Arc::new(number))?;
        }
    }
    tally.all().await
}

async fn hear(mut receiver: Receiver<Arc<u32>>, tally: Arc<Tally>) {
    loop {
        match receiver.recv().await {
            Ok(_) => tally.add(),
            Err(RecvError::Lagged(_)) => tally.miss(),
            Err(RecvError::Closed) => return,
        }
    }
}
