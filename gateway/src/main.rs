//! The one binary: see [`gateway::command`].

/// Gives memory back that glibc's allocator keeps: a password hash takes 19 MiB, in any thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    gateway::command::main()
}
