//! Measures what one request costs the service, beside a hand-written floor under the same
//! row security, and prints both. README.md of this crate says how to read it.
//!
//! The story: build the gateway, start a private PostgreSQL ([`cluster`]), start the service
//! ([`processes`]), let organisations sign up ([`sign_up`]), load their contacts ([`load`]), start
//! the floor ([`floor`]) and perhaps a [`peer`], see that all answer the same ([`agreement`]), drive
//! them in turns ([`rounds`], [`driver`]) with the requests of each [`case`], put into the words of
//! each ([`wording`]), and [`report`]. What it costs to say what has happened, and to hear of it, is
//! measured apart: [`events`]. What a request costs before it is executed, or refused: [`requests`].
//! What fifty entities cost: `entities`, with the feature of that name, because it takes minutes to build. What a session pays that sees few rows of many: [`sight`]. What
//! it costs to find rows by words: [`search`].

#![expect(clippy::disallowed_methods, reason = "measurements read the clock and the environment")]

mod agreement;
mod answer;
mod case;
mod client;
mod cluster;
mod driver;
#[cfg(feature = "entities")]
mod entities;
mod events;
mod floor;
mod flow;
mod load;
mod measure;
mod options;
mod peer;
mod processes;
mod reach;
mod report;
mod requests;
mod rounds;
mod search;
mod sight;
mod sign_up;
mod statistics;
mod target;
mod type_id;
mod within;
mod wording;

use anyhow::{Context, Result};
use clap::Parser;
use tokio::runtime::Builder;

use crate::options::{Arguments, Command};

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        // One thread: the messages of a transaction then leave in one flush, see [`floor`].
        Some(Command::Floor { listen, connections, list }) => Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime")?
            .block_on(floor::serve(listen, connections, list)),
        Some(Command::Events(options)) => Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("no runtime")?
            .block_on(events::run(options)),
        // As many threads as the measured service has.
        Some(Command::EventsTask { task }) => Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .context("no runtime")?
            .block_on(events::task(&task)),
        Some(Command::Requests) => requests::run(),
        #[cfg(feature = "entities")]
        Some(Command::Entities(options)) => within::block_on(entities::run(options)),
        Some(Command::Search(options)) => within::block_on(search::run(options)),
        Some(Command::Sight(options)) => within::block_on(sight::run(options)),
        None => Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("no runtime")?
            .block_on(flow::run(arguments.options)),
    }
}
